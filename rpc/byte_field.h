#ifndef INTERNODE_RPC_BYTE_FIELD_H_
#define INTERNODE_RPC_BYTE_FIELD_H_

#include <google/protobuf/message_lite.h>
#include <grpcpp/support/byte_buffer.h>
#include <grpcpp/support/slice.h>

#include <memory>
#include <utility>

#include "absl/strings/string_view.h"

// Messages of which one field holds most of the bytes, as gRPC sends them:
// without copying those bytes into a message, and the message into a buffer.

namespace internode::rpc {

// `bytes`, which `owner` keeps alive for as long as anybody uses the slice.
template <class Owner>
grpc::Slice SharedSlice(std::shared_ptr<const Owner> owner,
                        absl::string_view bytes) {
  auto held = std::make_unique<std::shared_ptr<const Owner>>(std::move(owner));
  // gRPC does not write to it.
  return grpc::Slice(
      const_cast<char*>(bytes.data()), bytes.size(),
      [](void* pointer) {
        const std::unique_ptr<std::shared_ptr<const Owner>> released(
            static_cast<std::shared_ptr<const Owner>*>(pointer));
      },
      held.release());
}

// The serialization of `message`, in which the bytes field `field` is empty,
// with `bytes` as that field.
grpc::ByteBuffer WithByteField(const google::protobuf::MessageLite& message,
                               int field, const grpc::Slice& bytes);

// The serialization of a message of which only the message field `field` is
// set, to the one that `message` is the serialization of.
grpc::ByteBuffer AsMessageField(int field, const grpc::ByteBuffer& message);

// The serialization of `message`, all of it.
grpc::ByteBuffer ToByteBuffer(const google::protobuf::MessageLite& message);

// Whether `buffer` is the serialization of a `message`, which is filled.
bool FromByteBuffer(const grpc::ByteBuffer& buffer,
                    google::protobuf::MessageLite* message);

}  // namespace internode::rpc

#endif  // INTERNODE_RPC_BYTE_FIELD_H_
