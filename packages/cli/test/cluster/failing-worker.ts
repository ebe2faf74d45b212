/* Loaded into a node (`--import`) and so into its workers, of which each ends before it serves anybody. */
if (process.channel !== undefined) process.exit(3)
