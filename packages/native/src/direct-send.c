/*
 * sendAll(descriptors, count, bytes, results): writes the same bytes to many sockets.
 *
 *   descriptors  Int32Array: file descriptors of connected, non-blocking sockets
 *   count        how many of them, from the first on; at most the length of `descriptors`
 *   bytes        Uint8Array of at most 2^31 - 1 bytes
 *   results      Int32Array of 2 * count or more
 *
 * Returns how many sockets have not taken all. Of each of them, in the order of `descriptors`, `results` has a pair:
 * its index, and how many bytes it took (0 where its buffer is full), or -1 where it takes none, as it is closed or broken.
 * Throws a TypeError or a RangeError for anything else than these arguments, and has written nothing then.
 *
 * No JavaScript runs between the first write and the last. A descriptor that was open at the call is the same socket
 * all along.
 */
#include <errno.h>
#include <limits.h>
#include <node_api.h>
#include <stdbool.h>
#include <stdint.h>
#include <sys/socket.h>

/* Where the system has no such flag Node's own setting counts: it ignores SIGPIPE. */
#ifndef MSG_NOSIGNAL
#define MSG_NOSIGNAL 0
#endif

#define ARGUMENTS 4

typedef struct {
  void *data;
  size_t length;
} array;

/* What a socket did with the bytes; `waiting` counts as having taken none, for now. */
enum { waiting = 0, broken = -1 };

static napi_value refuse(napi_env env, bool is_range, const char *sentence) {
  if (is_range) napi_throw_range_error(env, "ERR_OUT_OF_RANGE", sentence);
  else napi_throw_type_error(env, "ERR_INVALID_ARG_TYPE", sentence);
  return NULL;
}

/* False when `value` is no typed array of that type. One that is detached has length 0. */
static bool read_array(napi_env env, napi_value value, napi_typedarray_type wanted, array *read) {
  bool is_array = false;
  napi_typedarray_type type;
  if (napi_is_typedarray(env, value, &is_array) != napi_ok || !is_array) return false;
  napi_status status =
      napi_get_typedarray_info(env, value, &type, &read->length, &read->data, NULL, NULL);
  if (status != napi_ok || type != wanted) return false;
  if (read->data == NULL) read->length = 0;
  return true;
}

/* False when `value` is no number. One that is no count, as -1, 1.5 or NaN, is read as more than any array has. */
static bool read_count(napi_env env, napi_value value, size_t *count) {
  double number;
  if (napi_get_value_double(env, value, &number) != napi_ok) return false;
  bool is_count = number >= 0 && number <= INT32_MAX && number == (double)(int32_t)number;
  *count = is_count ? (size_t)number : SIZE_MAX;
  return true;
}

/* How many bytes the socket took, `waiting` or `broken`. */
static int32_t send_to(int descriptor, const array *bytes) {
  for (;;) {
    ssize_t taken = send(descriptor, bytes->data, bytes->length, MSG_DONTWAIT | MSG_NOSIGNAL);
    if (taken >= 0) return (int32_t)taken;
    if (errno == EAGAIN || errno == EWOULDBLOCK) return waiting;
    if (errno != EINTR) return broken;
  }
}

/* How many pairs were written to `results`. */
static uint32_t send_to_each(const int32_t *descriptors, size_t count, const array *bytes,
                             int32_t *results) {
  uint32_t pairs = 0;
  for (size_t at = 0; at < count; at++) {
    int32_t taken = send_to(descriptors[at], bytes);
    if (taken >= 0 && (size_t)taken == bytes->length) continue;
    results[2 * pairs] = (int32_t)at;
    results[2 * pairs + 1] = taken;
    pairs++;
  }
  return pairs;
}

static napi_value send_all(napi_env env, napi_callback_info info) {
  napi_value given[ARGUMENTS];
  size_t arguments = ARGUMENTS;
  array descriptors, bytes, results;
  size_t count;
  if (napi_get_cb_info(env, info, &arguments, given, NULL, NULL) != napi_ok) return NULL;
  /* Arguments that are not given are undefined here. */
  if (!read_array(env, given[0], napi_int32_array, &descriptors))
    return refuse(env, false, "descriptors are an Int32Array");
  if (!read_count(env, given[1], &count)) return refuse(env, false, "count is a number");
  if (!read_array(env, given[2], napi_uint8_array, &bytes))
    return refuse(env, false, "bytes are a Uint8Array");
  if (!read_array(env, given[3], napi_int32_array, &results))
    return refuse(env, false, "results are an Int32Array");
  if (count > descriptors.length)
    return refuse(env, true, "count is a whole number, at most the length of descriptors");
  if (count > results.length / 2)
    return refuse(env, true, "results have two places for each descriptor");
  if (bytes.length > INT32_MAX) return refuse(env, true, "bytes are fewer than 2^31");
  uint32_t pairs = send_to_each(descriptors.data, count, &bytes, results.data);
  napi_value answer;
  return napi_create_uint32(env, pairs, &answer) == napi_ok ? answer : NULL;
}

/* `source` is the SHA-256 of this file as it was compiled: whoever loads the addon compares it. */
NAPI_MODULE_INIT() {
  napi_value function, source;
  bool is_done =
      napi_create_function(env, "sendAll", NAPI_AUTO_LENGTH, send_all, NULL, &function) == napi_ok &&
      napi_set_named_property(env, exports, "sendAll", function) == napi_ok &&
      napi_create_string_utf8(env, SOURCE_SHA256, NAPI_AUTO_LENGTH, &source) == napi_ok &&
      napi_set_named_property(env, exports, "source", source) == napi_ok;
  return is_done ? exports : NULL;
}
