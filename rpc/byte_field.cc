#include "rpc/byte_field.h"

#include <google/protobuf/io/coded_stream.h>
#include <google/protobuf/io/zero_copy_stream_impl_lite.h>
#include <google/protobuf/wire_format_lite.h>
#include <grpcpp/support/proto_buffer_reader.h>

#include <string>
#include <vector>

namespace internode::rpc {
namespace {

using google::protobuf::internal::WireFormatLite;

// Appends what comes before a field of `size` bytes.
void AppendPrefix(int field, size_t size, std::string* text) {
  google::protobuf::io::StringOutputStream stream(text);
  google::protobuf::io::CodedOutputStream coded(&stream);
  coded.WriteTag(WireFormatLite::MakeTag(
      field, WireFormatLite::WIRETYPE_LENGTH_DELIMITED));
  coded.WriteVarint64(size);
}

}  // namespace

grpc::ByteBuffer WithByteField(const google::protobuf::MessageLite& message,
                               int field, const grpc::Slice& bytes) {
  // The order of fields is free.
  std::string text = message.SerializeAsString();
  AppendPrefix(field, bytes.size(), &text);
  const grpc::Slice slices[] = {grpc::Slice(text), bytes};
  return grpc::ByteBuffer(slices, 2);
}

grpc::ByteBuffer AsMessageField(int field, const grpc::ByteBuffer& message) {
  std::string text;
  AppendPrefix(field, message.Length(), &text);
  std::vector<grpc::Slice> slices;
  // It is not compressed, so that it can be taken apart.
  if (!message.Dump(&slices).ok()) return {};
  slices.insert(slices.begin(), grpc::Slice(text));
  return grpc::ByteBuffer(slices.data(), slices.size());
}

grpc::ByteBuffer ToByteBuffer(const google::protobuf::MessageLite& message) {
  const grpc::Slice slice(message.SerializeAsString());
  return grpc::ByteBuffer(&slice, 1);
}

bool FromByteBuffer(const grpc::ByteBuffer& buffer,
                    google::protobuf::MessageLite* message) {
  grpc::ByteBuffer copy = buffer;
  grpc::ProtoBufferReader reader(&copy);
  return reader.status().ok() && message->ParseFromZeroCopyStream(&reader);
}

}  // namespace internode::rpc
