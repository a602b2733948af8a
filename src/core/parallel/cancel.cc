#include "core/parallel/cancel.h"

#include "core/base/error.h"

namespace lbrx {

void CancelToken::ThrowIfCancelled() const {
  if (cancelled()) {
    throw Error(ErrorCode::kCancelled, "cancelled");
  }
}

}  // namespace lbrx
