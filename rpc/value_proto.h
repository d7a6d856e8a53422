#ifndef INTERNODE_RPC_VALUE_PROTO_H_
#define INTERNODE_RPC_VALUE_PROTO_H_

#include <google/protobuf/repeated_field.h>

#include <vector>

#include "absl/status/statusor.h"

#include "core/attribute.h"
#include "core/dimension.h"
#include "core/selection.h"
#include "internode/v1/common.pb.h"

// The parts of rpc/job_proto.h that its files share.

namespace internode::rpc {

void SetDimensions(const core::Dimensions& dims,
                   google::protobuf::RepeatedPtrField<v1::Dimension>* messages);
// Sizes are not negative.
absl::StatusOr<core::Dimensions> DimensionsOf(
    const google::protobuf::RepeatedPtrField<v1::Dimension>& messages);

void SetSelections(const std::vector<core::Selection>& selections,
                   google::protobuf::RepeatedPtrField<v1::Selection>* messages);
// At most kMaxSelections; extents are not empty, and indices are one long.
absl::StatusOr<std::vector<core::Selection>> SelectionsOf(
    const google::protobuf::RepeatedPtrField<v1::Selection>& messages);

void SetAttributes(const core::Attributes& attributes,
                   google::protobuf::RepeatedPtrField<v1::Attribute>* messages);
absl::StatusOr<core::Attributes> AttributesOf(
    const google::protobuf::RepeatedPtrField<v1::Attribute>& messages);

}  // namespace internode::rpc

#endif  // INTERNODE_RPC_VALUE_PROTO_H_
