#include "scheduler/rpc/worker_service.h"

#include <memory>
#include <utility>

#include "rpc/channel.h"
#include "rpc/session.h"
#include "rpc/status.h"
#include "scheduler/rpc/frame_assembler.h"

namespace internode::scheduler {
namespace {

using ControlSession =
    rpc::ServerSession<v1::WorkerMessage, v1::SchedulerMessage>;
using DataSession = rpc::ServerSession<v1::FrameMessage, v1::FrameAck>;

// A message that is being read, and one that waits.
constexpr int64_t kBufferBytes = 2 * rpc::kPieceBytes;

class ControlLinkOfSession final : public ControlLink {
 public:
  explicit ControlLinkOfSession(std::shared_ptr<ControlSession> session)
      : session_(std::move(session)) {}
  void Send(v1::SchedulerMessage message) override {
    session_->Send(std::move(message));
  }
  void Close(const absl::Status& status) override {
    session_->Close(rpc::ToGrpc(status));
  }

 private:
  const std::shared_ptr<ControlSession> session_;
};

class DataLinkOfSession final : public DataLink {
 public:
  DataLinkOfSession(std::shared_ptr<DataSession> session,
                    std::shared_ptr<FrameAssembler> assembler)
      : session_(std::move(session)), assembler_(std::move(assembler)) {}
  void Acknowledge(uint64_t sequence, int64_t bytes) override {
    assembler_->Acknowledged(bytes);
    v1::FrameAck ack;
    ack.set_sequence(sequence);
    session_->Send(std::move(ack));
  }
  void Close(const absl::Status& status) override {
    session_->Close(rpc::ToGrpc(status));
  }

 private:
  const std::shared_ptr<DataSession> session_;
  const std::shared_ptr<FrameAssembler> assembler_;
};

// What arrives on a data stream, on gRPC's threads.
void OnDataMessage(Engine* engine, LinkId link, FrameAssembler* assembler,
                   DataSession* session, v1::FrameMessage&& message) {
  if (message.has_attach()) {
    engine->Attach(link, message.attach().session());
    return;
  }
  if (!message.has_frame()) return;
  absl::StatusOr<FrameAssembler::Frame> frame =
      assembler->Add(std::move(*message.mutable_frame()));
  if (!frame.ok()) {
    engine->RejectData(link, frame.status());
    session->Close(rpc::ToGrpc(frame.status()));
    return;
  }
  if (frame->frame == nullptr) return;
  engine->ReceiveFrame(link, frame->message, std::move(frame->frame));
}

// Ends the stream with its caller's token.
template <class Session>
uint64_t BeginStream(Gate* gate, const Caller& caller,
                     const std::shared_ptr<Session>& session) {
  return gate->BeginStream(caller, [weak = std::weak_ptr<Session>(session)](
                                       const absl::Status& status) {
    if (const auto alive = weak.lock()) alive->Close(rpc::ToGrpc(status));
  });
}

// A stream that nobody but the refusal uses.
template <class Session>
Session* Refuse(const absl::Status& status) {
  const auto session = std::make_shared<Session>();
  session->Start({.on_message = [](auto&&) {}, .on_closed = [] {}});
  session->Close(rpc::ToGrpc(status));
  return session.get();
}

}  // namespace

grpc::ServerBidiReactor<v1::WorkerMessage, v1::SchedulerMessage>*
WorkerServiceImpl::Control(grpc::CallbackServerContext* context) {
  const absl::StatusOr<Caller> caller =
      gate_->Admit(*context, "/internode.v1.WorkerService/Control");
  if (!caller.ok()) return Refuse<ControlSession>(caller.status());
  auto session = std::make_shared<ControlSession>();
  const LinkId link = engine_->NewId();
  const uint64_t stream = BeginStream(gate_, *caller, session);
  engine_->OpenControl(link, std::make_shared<ControlLinkOfSession>(session));
  session->Start({.on_message =
                      [engine = engine_, link](v1::WorkerMessage&& message) {
                        engine->Receive(link, std::move(message));
                      },
                  .on_closed =
                      [engine = engine_, gate = gate_, link, stream] {
                        gate->EndStream(stream);
                        engine->CloseControl(link);
                      }});
  return session.get();
}

grpc::ServerBidiReactor<v1::FrameMessage, v1::FrameAck>*
WorkerServiceImpl::Data(grpc::CallbackServerContext* context) {
  const absl::StatusOr<Caller> caller =
      gate_->Admit(*context, "/internode.v1.WorkerService/Data");
  if (!caller.ok()) return Refuse<DataSession>(caller.status());
  auto session = std::make_shared<DataSession>();
  auto assembler =
      std::make_shared<FrameAssembler>(engine_->most_window_bytes());
  const LinkId link = engine_->NewId();
  const uint64_t stream = BeginStream(gate_, *caller, session);
  buffers_->Add(kBufferBytes);
  engine_->OpenData(link,
                    std::make_shared<DataLinkOfSession>(session, assembler));
  session->Start(
      {.on_message =
           [engine = engine_, link, assembler,
            raw = session.get()](v1::FrameMessage&& message) {
             OnDataMessage(engine, link, assembler.get(), raw,
                           std::move(message));
           },
       .on_closed =
           [engine = engine_, gate = gate_, buffers = buffers_, link, stream] {
             gate->EndStream(stream);
             engine->CloseData(link);
             buffers->Add(-kBufferBytes);
           }});
  return session.get();
}

}  // namespace internode::scheduler
