#!/bin/sh
# Keys and tokens of a tree, for one machine or to be carried to several:
#
#   sh infra/mint-keys.sh DIRECTORY NODE:REGION:ROLES…
#
#   DIRECTORY/fleet/        signs links and tokens; no node needs it, keep it with you
#   DIRECTORY/keys/NODE/    one node's identity, and fanfold.yaml to start it with
#   DIRECTORY/tokens/       of the race's feed (writes) and its page (observes), 30 days
#
# Run again, it keeps every key and every node there is, adds nodes that are not, and renews the tokens.
# A node's link token is good for a year: remove DIRECTORY/keys/NODE and run this again to renew it.
set -eu
umask 077
fanfold=${FANFOLD:-fanfold}
documents='demo/grand-prix/*'

if [ $# -lt 2 ]; then
  echo 'mint-keys: a directory and nodes are needed, as: secrets authority:core:authority edge-1:eu:edge' >&2
  exit 2
fi
fleet=$1/fleet
keys=$1/keys
tokens=$1/tokens
shift
mkdir -p "$fleet" "$keys" "$tokens"

[ -e "$fleet/fleet.pub" ] || $fanfold token fleet --out "$fleet"
[ -e "$fleet/tokens.pem.pub" ] || $fanfold token key --ed25519 --out "$fleet/tokens.pem"

# The identity of one node, NODE:REGION:ROLES, unless it has one.
identify() {
  node=${1%%:*}
  rest=${1#*:}
  region=${rest%%:*}
  roles=${rest#*:}
  [ -e "$keys/$node/fanfold.yaml" ] && return
  # What an interrupted run has left of this node is of no use.
  rm -rf "${keys:?}/$node"
  $fanfold token link --node "$node" --region "$region" --roles "$roles" \
    --fleet-key "$fleet/fleet.pem" --out "$keys/$node"
  cp "$fleet/tokens.pem.pub" "$keys/$node/tokens.pub"
  cat > "$keys/$node/fanfold.yaml.new" <<END
# Who this node is. Paths start here; flags and the environment come before what is said here.
region: $region
node:
  id: $node
tokenKeyFile: tokens.pub
link:
  tokenFile: $node.link-token
  privateKeyFile: $node.pem
  fleetPublicKeys:
    - $(cat "$fleet/fleet.pub")
END
  mv "$keys/$node/fanfold.yaml.new" "$keys/$node/fanfold.yaml"
}

# Four at a time: each is a process that starts for it. One that fails ends all.
waiting=
count=0
for specification in "$@"; do
  identify "$specification" &
  waiting="$waiting $!"
  count=$((count + 1))
  if [ $((count % 4)) -eq 0 ]; then
    for one in $waiting; do wait "$one"; done
    waiting=
  fi
done
for one in $waiting; do wait "$one"; done

mint() {
  $fanfold token --user "$1" --allow "$2" --documents "$documents" --ttl 30d \
    --key "$fleet/tokens.pem" > "$tokens/$1.token.new"
  mv "$tokens/$1.token.new" "$tokens/$1.token"
}
mint feed write,create
mint page observe
echo "keys and tokens are in $keys and $tokens"
