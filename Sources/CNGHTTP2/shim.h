/* Doors to nghttp2's frame union: Swift would copy the whole of it to look at one member. */
#pragma once
#include <nghttp2/nghttp2.h>

static inline int32_t kb_frame_stream(const nghttp2_frame *frame) { return frame->hd.stream_id; }
static inline uint8_t kb_frame_type(const nghttp2_frame *frame) { return frame->hd.type; }
static inline uint8_t kb_frame_flags(const nghttp2_frame *frame) { return frame->hd.flags; }
static inline int kb_headers_category(const nghttp2_frame *frame) { return (int)frame->headers.cat; }
static inline uint32_t kb_reset_code(const nghttp2_frame *frame) { return frame->rst_stream.error_code; }
