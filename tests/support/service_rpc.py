"""The service's calls from Python, without generated stubs: whatever a test
wants to say, right or wrong."""

import functools
import importlib
import os
import pathlib
import subprocess
import sys
import tempfile

import grpc

ROOT = pathlib.Path(__file__).resolve().parents[2]
CLIENT_SERVICE = "/internode.v1.ClientService/"
WORKER_SERVICE = "/internode.v1.WorkerService/"

JOB_ENDED = {3, 4, 5, 6}


def is_broken(error):
    """Whether the call ended with the connection, and can be made again: what
    gRPC says of a scheduler that stops, or dies, in the middle."""
    text = error.details() or ""
    return (error.code() in (grpc.StatusCode.UNAVAILABLE,
                             grpc.StatusCode.CANCELLED) or
            (error.code() == grpc.StatusCode.INTERNAL and
             "RST_STREAM" in text) or
            (error.code() == grpc.StatusCode.UNKNOWN and
             "Stream removed" in text))


@functools.cache
def messages():
    """The modules common, job, client and worker of internode/v1, generated
    for this process."""
    with tempfile.TemporaryDirectory() as folder:
        names = ("common", "job", "client", "worker")
        subprocess.run(
            ["protoc", f"--proto_path={ROOT / 'proto'}",
             f"--python_out={folder}",
             *(f"internode/v1/{name}.proto" for name in names)], check=True)
        sys.path.insert(0, folder)
        try:
            return {name: importlib.import_module(f"internode.v1.{name}_pb2")
                    for name in names}
        finally:
            sys.path.remove(folder)


def message(name, /, **fields):
    """A message of internode.v1 by its name."""
    for module in messages().values():
        kind = getattr(module, name, None)
        if kind is not None:
            return kind(**fields)
    raise KeyError(name)


def peer(version=None, protocol=1):
    """This process as a peer; by default of the version of the build."""
    return message("Peer", version=version or built_version(),
                   protocol=protocol, host="test", pid=os.getpid())


@functools.cache
def built_version():
    text = (ROOT / "CMakeLists.txt").read_text()
    return text.split("VERSION ")[2].split()[0]


def _serialize(value):
    return value.SerializeToString()


class _Shown(grpc.UnaryUnaryClientInterceptor,
             grpc.UnaryStreamClientInterceptor,
             grpc.StreamStreamClientInterceptor):
    """Shows a token with every call."""

    def __init__(self, token):
        self._metadata = (("authorization", f"Bearer {token}"),)

    def _call(self, proceed, details, request):
        return proceed(details._replace(metadata=self._metadata), request)

    intercept_unary_unary = intercept_unary_stream = _call
    intercept_stream_stream = _call


class Rpc:
    """Calls of one channel to a scheduler, with a token if there is one."""

    def __init__(self, address, token=None):
        self.channel = grpc.insecure_channel(address, options=[
            ("grpc.max_receive_message_length", 64 << 20),
            ("grpc.max_send_message_length", -1),
            ("grpc.initial_reconnect_backoff_ms", 20),
            ("grpc.min_reconnect_backoff_ms", 20),
            ("grpc.max_reconnect_backoff_ms", 100),
            # A channel of its own, not one shared with others to there.
            ("grpc.use_local_subchannel_pool", 1)])
        if token is not None:
            self.channel = grpc.intercept_channel(self.channel, _Shown(token))

    def close(self):
        self.channel.close()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()

    def unary(self, method):
        """A callable for `method` of the client's service; it takes the
        request's fields, or `request`."""
        call = self.channel.unary_unary(
            CLIENT_SERVICE + method, request_serializer=_serialize,
            response_deserializer=type(
                message(f"{method}Response")).FromString)

        def ask(request=None, timeout=60, **fields):
            if request is None:
                request = message(f"{method}Request", **fields)
            return call(request, timeout=timeout, wait_for_ready=True)
        return ask

    def start(self, method, timeout=60, **fields):
        """The same, started: a future."""
        return self.channel.unary_unary(
            CLIENT_SERVICE + method, request_serializer=_serialize,
            response_deserializer=type(
                message(f"{method}Response")).FromString).future(
                    message(f"{method}Request", **fields), timeout=timeout)

    def __getattr__(self, name):
        """rpc.get_job(job_id=...) is GetJob, asked again when the connection
        breaks."""
        if name.startswith("_"):
            raise AttributeError(name)
        call = self.unary("".join(map(str.capitalize, name.split("_"))))

        def ask(*args, **fields):
            for _ in range(20):
                try:
                    return call(*args, **fields)
                except grpc.RpcError as error:
                    if not is_broken(error):
                        raise
                    last = error
            raise last
        return ask

    def watch(self, job_id, timeout=120):
        """JobInfo at once and at every change, until the job has ended."""
        call = self.channel.unary_stream(
            CLIENT_SERVICE + "WatchJob", request_serializer=_serialize,
            response_deserializer=type(message("JobInfo")).FromString)
        return call(message("WatchJobRequest", job_id=job_id),
                    timeout=timeout, wait_for_ready=True)

    def fetch(self, job_id, timeout=120, **fields):
        call = self.channel.unary_stream(
            CLIENT_SERVICE + "FetchFrames", request_serializer=_serialize,
            response_deserializer=type(
                message("FetchFramesResponse")).FromString)
        return call(message("FetchFramesRequest", job_id=job_id, **fields),
                    timeout=timeout, wait_for_ready=True)

    def await_job(self, job_id, condition, what, seconds=120):
        """The first JobInfo for which `condition` holds; goes on when the
        scheduler is started anew."""
        import processes
        deadline = processes.Deadline(seconds)
        last = None
        while True:
            try:
                for last in self.watch(job_id, deadline.left(what)):
                    if condition(last):
                        return last
                if last is not None and last.state in JOB_ENDED:
                    raise AssertionError(f"{job_id} ended before {what}: "
                                         f"{last}")
            except grpc.RpcError as error:
                if not is_broken(error):
                    raise AssertionError(
                        f"waiting for {what}, with {last}: {error}") from None

    def await_end(self, job_id, seconds=120):
        return self.await_job(job_id, lambda job: job.state in JOB_ENDED,
                              "the end of the job", seconds)

    def control(self, requests, timeout=60):
        """A worker's control stream of `requests`, an iterator."""
        return self.channel.stream_stream(
            WORKER_SERVICE + "Control", request_serializer=_serialize,
            response_deserializer=type(
                message("SchedulerMessage")).FromString)(
                    requests, timeout=timeout, wait_for_ready=True)

    def data(self, requests, timeout=60):
        return self.channel.stream_stream(
            WORKER_SERVICE + "Data", request_serializer=_serialize,
            response_deserializer=type(message("FrameAck")).FromString)(
                requests, timeout=timeout, wait_for_ready=True)
