#include "rpc/session.h"

#include <gtest/gtest.h>

#include <memory>
#include <string>
#include <thread>
#include <vector>

#include "base/mutex.h"
#include "internode/v1/worker.grpc.pb.h"
#include "rpc/channel.h"
#include "rpc/server.h"

namespace internode::rpc {
namespace {

using v1::SchedulerMessage;
using v1::WorkerMessage;
using ServerEnd = ServerSession<WorkerMessage, SchedulerMessage>;
using ClientEnd = ClientSession<WorkerMessage, SchedulerMessage>;

constexpr absl::Duration kPatience = absl::Seconds(60);

// Answers every message with a Drain that repeats its reason; closes the
// stream on "close".
class EchoService : public v1::WorkerService::CallbackService {
 public:
  grpc::ServerBidiReactor<WorkerMessage, SchedulerMessage>* Control(
      grpc::CallbackServerContext*) override {
    auto session = std::make_shared<ServerEnd>();
    {
      MutexLock lock(&mu_);
      ++opened_;
    }
    session->Start({.on_message =
                        [session](WorkerMessage&& message) {
                          const std::string& reason =
                              message.draining().reason();
                          if (reason == "close") {
                            session->Close(grpc::Status(
                                grpc::StatusCode::ABORTED, "asked to"));
                            return;
                          }
                          SchedulerMessage answer;
                          answer.mutable_drain()->set_reason(reason);
                          session->Send(std::move(answer));
                        },
                    .on_closed =
                        [this] {
                          MutexLock lock(&mu_);
                          ++closed_;
                        }});
    return session.get();
  }

  bool AwaitClosed(int count) {
    MutexLock lock(&mu_);
    return mu_.AwaitWithDeadline(
        [this, count] {
          mu_.AssertHeld();
          return closed_ == count && opened_ == count;
        },
        absl::Now() + kPatience);
  }

 private:
  Mutex mu_;
  int opened_ ABSL_GUARDED_BY(mu_) = 0;
  int closed_ ABSL_GUARDED_BY(mu_) = 0;
};

// A client's stream that remembers what came.
struct Recorder {
  Mutex mu;
  std::vector<std::string> received ABSL_GUARDED_BY(mu);
  bool closed ABSL_GUARDED_BY(mu) = false;
  grpc::Status status ABSL_GUARDED_BY(mu);

  bool AwaitReceived(size_t count) {
    MutexLock lock(&mu);
    return mu.AwaitWithDeadline(
               [this, count] {
                 mu.AssertHeld();
                 return received.size() >= count || closed;
               },
               absl::Now() + kPatience) &&
           received.size() >= count;
  }
  bool AwaitClosed() {
    MutexLock lock(&mu);
    return mu.AwaitWithDeadline(
        [this] {
          mu.AssertHeld();
          return closed;
        },
        absl::Now() + kPatience);
  }
  grpc::StatusCode Code() {
    MutexLock lock(&mu);
    return status.error_code();
  }
};

WorkerMessage Message(const std::string& reason) {
  WorkerMessage message;
  message.mutable_draining()->set_reason(reason);
  return message;
}

class SessionTest : public testing::Test {
 protected:
  SessionTest()
      : server_(*Server::Start({}, {&service_})),
        channel_(NewChannel(server_->address(), *Credentials::None())),
        stub_(v1::WorkerService::NewStub(channel_)) {}

  std::shared_ptr<ClientEnd> Open(std::shared_ptr<Recorder> recorder) {
    auto session = std::make_shared<ClientEnd>();
    session->Start(
        {.on_message =
             [recorder](SchedulerMessage&& message) {
               MutexLock lock(&recorder->mu);
               recorder->received.push_back(message.drain().reason());
             },
         .on_closed =
             [recorder](const grpc::Status& status) {
               MutexLock lock(&recorder->mu);
               recorder->closed = true;
               recorder->status = status;
             }},
        [this](grpc::ClientContext* context, ClientEnd* reactor) {
          stub_->async()->Control(context, reactor);
        });
    return session;
  }

  EchoService service_;
  std::unique_ptr<Server> server_;
  std::shared_ptr<grpc::Channel> channel_;
  std::unique_ptr<v1::WorkerService::Stub> stub_;
};

TEST_F(SessionTest, DeliversEveryMessageInOrder) {
  auto recorder = std::make_shared<Recorder>();
  auto session = Open(recorder);
  for (int i = 0; i < 1000; ++i) {
    ASSERT_TRUE(session->Send(Message(std::to_string(i))));
  }
  ASSERT_TRUE(recorder->AwaitReceived(1000));
  session->WritesDone();
  ASSERT_TRUE(recorder->AwaitClosed());
  EXPECT_EQ(recorder->Code(), grpc::StatusCode::OK);
  MutexLock lock(&recorder->mu);
  for (size_t i = 0; i < 1000; ++i) {
    ASSERT_EQ(recorder->received[i], std::to_string(i));
  }
}

TEST_F(SessionTest, TheServersStatusReachesTheClient) {
  auto recorder = std::make_shared<Recorder>();
  auto session = Open(recorder);
  session->Send(Message("close"));
  ASSERT_TRUE(recorder->AwaitClosed());
  EXPECT_EQ(recorder->Code(), grpc::StatusCode::ABORTED);
  EXPECT_FALSE(session->Send(Message("late")));
}

TEST_F(SessionTest, ACancelledStreamEndsOnBothSides) {
  auto recorder = std::make_shared<Recorder>();
  auto session = Open(recorder);
  session->Send(Message("one"));
  ASSERT_TRUE(recorder->AwaitReceived(1));
  session->Cancel();
  ASSERT_TRUE(recorder->AwaitClosed());
  EXPECT_EQ(recorder->Code(), grpc::StatusCode::CANCELLED);
  EXPECT_TRUE(service_.AwaitClosed(1));
}

TEST_F(SessionTest, AStoppedServerEndsEveryStream) {
  auto recorder = std::make_shared<Recorder>();
  auto session = Open(recorder);
  session->Send(Message("one"));
  ASSERT_TRUE(recorder->AwaitReceived(1));
  server_->Stop(absl::Now());
  ASSERT_TRUE(recorder->AwaitClosed());
  EXPECT_TRUE(service_.AwaitClosed(1));
}

// Writers of several threads, and every way to end a stream at once.
TEST_F(SessionTest, SurvivesEveryOrderOfEnds) {
  constexpr int kStreams = 400;
  std::vector<std::thread> threads;
  for (int t = 0; t < 4; ++t) {
    threads.emplace_back([this, t] {
      for (int i = t; i < kStreams; i += 4) {
        auto recorder = std::make_shared<Recorder>();
        auto session = Open(recorder);
        std::thread writer([&session] {
          for (int k = 0; k < 20; ++k) session->Send(Message("m"));
        });
        switch (i % 4) {
          case 0:
            session->WritesDone();
            break;
          case 1:
            session->Cancel();
            break;
          case 2:
            session->Send(Message("close"));
            break;
          case 3:
            session->Send(Message("close"));
            session->Cancel();
            break;
        }
        writer.join();
        session->WritesDone();
        EXPECT_TRUE(recorder->AwaitClosed());
      }
    });
  }
  for (std::thread& thread : threads) thread.join();
  server_->Stop(absl::Now() + kPatience);
}

}  // namespace
}  // namespace internode::rpc
