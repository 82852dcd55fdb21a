//! All tunables of a connection, passed by value.

use std::time::Duration;

use serde::{Deserialize, Serialize};

/// How often a side of a connection shows that it is alive, and how long the other may be silent.
#[derive(Clone, Copy, Debug, Deserialize, Eq, PartialEq, Serialize)]
pub struct HeartbeatSettings {
    /// Time between two heartbeats. At least 1 ms. A usual value is 10 s.
    pub send_every: Duration,
    /// Silence after which the peer counts as lost. It is checked when a heartbeat is sent, and so rounded up to a
    /// multiple of `send_every`. A usual value is 30 s.
    pub timeout: Duration,
}

impl HeartbeatSettings {
    /// Every 10 s, lost after 30 s.
    pub const DEFAULT: Self = Self { send_every: Duration::from_secs(10), timeout: Duration::from_secs(30) };
}

impl Default for HeartbeatSettings {
    fn default() -> Self {
        Self::DEFAULT
    }
}

/// The tunables of a worker's connections. They travel with the worker's handle, so that every process that connects
/// to it uses the same ones.
///
/// ```
/// use rpc_parallel::Settings;
///
/// let mut settings = Settings::default();
/// settings.max_message_size = 1 << 20;
/// assert_eq!(settings.bounded().max_message_size, 1 << 20);
/// ```
#[derive(Clone, Debug, Deserialize, Eq, PartialEq, Serialize)]
#[non_exhaustive]
pub struct Settings {
    /// The largest message, in bytes: the arguments of a call, a reply, or one item of a stream. Larger ones are
    /// refused before they are sent. Default 100 MiB, at least 1 KiB.
    pub max_message_size: usize,
    /// How many bytes of items one stream may have on the way before its reader takes some. Default 1 MiB, at least
    /// 1 KiB. Larger windows help streams over links with a long round trip.
    pub stream_window: usize,
    /// How many calls one connection may have open in each direction; further ones wait at the caller. Default
    /// 262,144, at least 1.
    pub max_open_calls: usize,
    /// How many bytes of arguments the open calls of one connection may hold at the worker; further ones wait at the
    /// caller. Default 256 MiB, never less than `max_message_size`.
    pub max_open_bytes: usize,
    /// How long the two sides may take to greet each other. Default 30 s.
    pub handshake_timeout: Duration,
    /// Heartbeats. Default none: between processes of one machine the kernel reports every death at once, and a
    /// process that is only stopped is not dead.
    pub heartbeat: Option<HeartbeatSettings>,
    /// How long a side may look for what comes next before it goes to sleep: the caller for the reply of its only call, the
    /// worker for the next call after it has answered one. With a CPU for each side that makes such calls several times
    /// faster, since the waking of a sleeping side is most of their time. It is only tried if the machine has a CPU for
    /// every process that this one is connected to, never while it runs on its battery (as far as Linux tells), and ever
    /// more rarely where it does not help; an idle connection costs no CPU time at all. Default 50 µs, about what waking a
    /// sleeping side costs; at most 1 ms; zero turns it off.
    pub spin: Duration,
    /// Whether a connection that has carried a few hundred calls goes on through memory that both processes have: its bytes are
    /// then copied from process to process without the kernel, which is only called where a side sleeps. It takes half a
    /// mebibyte and two descriptors at each side, and is done for at most 64 connections of a process; the socket stays, and
    /// tells of the other side's end. Default yes; Linux only. Processes that share memory have to trust each other as much as
    /// those of one user, who may stop, trace and end each other, do anyway.
    pub shared_memory: bool,
    /// Whether a process of another build may connect. Default no: then a different build is refused with a sentence
    /// that says so. If yes, a function whose signature differs is refused when it is called.
    pub allow_other_builds: bool,
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            max_message_size: 100 << 20,
            stream_window: 1 << 20,
            max_open_calls: 1 << 18,
            max_open_bytes: 256 << 20,
            handshake_timeout: Duration::from_secs(30),
            heartbeat: None,
            spin: Duration::from_micros(50),
            shared_memory: true,
            allow_other_builds: false,
        }
    }
}

impl Settings {
    /// The same settings with every value moved into its bounds.
    #[must_use]
    pub fn bounded(mut self) -> Self {
        // A frame's length is a u32, and its header must fit beside the message.
        self.max_message_size = self.max_message_size.clamp(1 << 10, (1 << 31) - 1);
        self.stream_window = self.stream_window.clamp(1 << 10, 1 << 30);
        self.max_open_calls = self.max_open_calls.clamp(1, 1 << 24);
        self.max_open_bytes = self.max_open_bytes.max(self.max_message_size);
        self.spin = self.spin.min(Duration::from_millis(1));
        if let Some(heartbeat) = &mut self.heartbeat {
            heartbeat.send_every = heartbeat.send_every.max(Duration::from_millis(1));
            heartbeat.timeout = heartbeat.timeout.max(heartbeat.send_every);
        }
        self
    }
}
