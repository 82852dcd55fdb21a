//! ipc-channel: blocking channels, one there and one back.

use std::{process::Stdio, time::Instant};

use ipc_channel::ipc::{
    self, IpcBytesReceiver, IpcBytesSender, IpcOneShotServer, IpcReceiver, IpcSender, IpcSharedMemory,
};
use serde::{Deserialize, Serialize};

use crate::{
    blocking::{self, Blocking},
    meter::{Latencies, since},
    peers::{BYTE, Library, check},
    process::Process,
    workload::Kind,
};

pub(crate) const LIBRARY: Library = Library {
    name: "ipc-channel",
    crates: &["ipc-channel", "postcard"],
    used: "blocking, with no runtime: a channel there and one back, 64 calls in flight in one thread, more with a thread \
           that sends and one that receives; bytes through its bytes channel or its shared memory",
    variants: |workload| match workload.kind {
        Kind::Echo { .. } => &["bytes channel", "shared memory"],
        _ if workload.threads() => &[],
        Kind::InFlight { width, .. } if width > IN_ONE_THREAD => &["two threads"],
        Kind::InFlight { .. } => &["one thread"],
        _ => &[""],
    },
    run: blocking::run::<IpcChannel>,
    worker,
};

/// More would fill the buffers of both sockets, and both sides would block.
const IN_ONE_THREAD: u64 = 64;

type Block = [f64; 8];

#[derive(Deserialize, Serialize)]
enum Request {
    Next(u64),
    Numbers(u64, IpcSender<u64>),
    Blocks(u64, IpcSender<Block>),
    /// Sends back what comes.
    Echo(IpcBytesReceiver, IpcBytesSender),
    EchoShared(IpcReceiver<IpcSharedMemory>, IpcSender<IpcSharedMemory>),
}

/// The worker's first message.
#[derive(Deserialize, Serialize)]
struct Ends {
    requests: IpcSender<Request>,
    replies: IpcReceiver<u64>,
}

struct IpcChannel {
    process: Process,
    server: Option<IpcOneShotServer<Ends>>,
    ends: Option<Ends>,
}

impl IpcChannel {
    fn ends(&self) -> &Ends {
        self.ends.as_ref().expect("the worker is ready")
    }

    fn request(&self, request: Request) {
        self.ends().requests.send(request).unwrap();
    }
}

impl Blocking for IpcChannel {
    fn start(cpu: Option<usize>) -> Self {
        let (server, name) = IpcOneShotServer::new().unwrap();
        let process = Process::start(LIBRARY.name, cpu, &[&name], Stdio::inherit());
        Self { process, server: Some(server), ends: None }
    }

    fn ready(&mut self) {
        let (_, ends) = self.server.take().expect("waited for once").accept().unwrap();
        self.ends = Some(ends);
        self.send(1);
        assert_eq!(self.receive(), 2);
    }

    fn pid(&self) -> u32 {
        self.process.id()
    }

    fn send(&mut self, n: u64) {
        self.request(Request::Next(n));
    }

    fn receive(&mut self) -> u64 {
        self.ends().replies.recv().unwrap()
    }

    fn window(&mut self, width: u64, count: u64) {
        let ends = self.ends();
        let receive = |n| assert_eq!(ends.replies.recv().unwrap(), n + 1);
        if width > IN_ONE_THREAD {
            // As many as the buffers of the sockets hold.
            let requests = ends.requests.clone();
            let send = move || (0..count).for_each(|n| requests.send(Request::Next(n)).unwrap());
            let sender = std::thread::spawn(send);
            (0..count).for_each(receive);
            sender.join().unwrap();
        } else {
            let send = |n| ends.requests.send(Request::Next(n)).unwrap();
            (0..width).for_each(send);
            (width..count).for_each(|n| {
                receive(n - width);
                send(n);
            });
            (count - width..count).for_each(receive);
        }
    }

    fn numbers(&mut self, count: u64) -> u64 {
        let (sender, receiver) = ipc::channel().unwrap();
        self.request(Request::Numbers(count, sender));
        (0..count).map(|_| receiver.recv().unwrap()).sum()
    }

    fn blocks(&mut self, count: u64) -> u64 {
        let (sender, receiver) = ipc::channel().unwrap();
        self.request(Request::Blocks(count, sender));
        (0..count).for_each(|n| assert_eq!(receiver.recv().unwrap()[7], n as f64));
        count
    }

    fn echo(&mut self, variant: &str, size: usize, count: u64) -> Latencies {
        let bytes = vec![BYTE; size];
        if variant == "shared memory" {
            let (there, at_worker) = ipc::channel().unwrap();
            let (from_worker, back) = ipc::channel().unwrap();
            self.request(Request::EchoShared(at_worker, from_worker));
            let round = |_| {
                let start = Instant::now();
                there.send(IpcSharedMemory::from_bytes(&bytes)).unwrap();
                let reply: IpcSharedMemory = back.recv().unwrap();
                let latency = since(start);
                check(&reply, size);
                latency
            };
            (0..count).map(round).collect()
        } else {
            let (there, at_worker) = ipc::bytes_channel().unwrap();
            let (from_worker, back) = ipc::bytes_channel().unwrap();
            self.request(Request::Echo(at_worker, from_worker));
            let round = |_| {
                let start = Instant::now();
                there.send(&bytes).unwrap();
                let reply = back.recv().unwrap();
                let latency = since(start);
                check(&reply, size);
                latency
            };
            (0..count).map(round).collect()
        }
    }
}

fn worker(args: &[String]) {
    let (requests, incoming) = ipc::channel().unwrap();
    let (outgoing, replies) = ipc::channel().unwrap();
    IpcSender::connect(args[0].clone()).unwrap().send(Ends { requests, replies }).unwrap();
    while let Ok(request) = incoming.recv() {
        match request {
            Request::Next(n) => outgoing.send(n + 1).unwrap(),
            Request::Numbers(count, sender) => (0..count).for_each(|n| sender.send(n).unwrap()),
            Request::Blocks(count, sender) => (0..count).for_each(|n| sender.send([n as f64; 8]).unwrap()),
            Request::Echo(from, to) => {
                while let Ok(bytes) = from.recv() {
                    to.send(&bytes).unwrap();
                }
            }
            Request::EchoShared(from, to) => {
                while let Ok(bytes) = from.recv() {
                    to.send(bytes).unwrap();
                }
            }
        }
    }
}
