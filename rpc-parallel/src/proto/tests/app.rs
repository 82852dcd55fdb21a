//! An honest application above one session, which knows what has to happen.

use std::{
    collections::{BTreeMap, HashMap},
    time::Duration,
};

use super::{
    super::*,
    pair::{End, call, local, remote},
};
use crate::{
    id::CallId,
    wire::{Items, Status, item_size, push_item, take_item},
};

/// What one side believes. Every payload starts with the token of its call, so that nothing can be taken for
/// something else: tokens, unlike numbers, are never used again.
#[derive(Debug, Default)]
pub(super) struct App {
    /// The calls of this side that wait for a reply, with their tokens.
    waiting: BTreeMap<u32, u64>,
    /// The calls of the peer that wait for one.
    running: BTreeMap<u32, u64>,
    sending: HashMap<StreamKey, Sending>,
    receiving: HashMap<StreamKey, Receiving>,
    /// The one-way messages that are being worked on.
    notes: Vec<usize>,
    /// The tokens of this side's calls that nobody cancelled, and how many replies each got.
    pub(super) replies: HashMap<u64, u32>,
    next_token: u64,
}

#[derive(Debug)]
struct Sending {
    token: u64,
    next: u64,
    stopped: bool,
}

#[derive(Debug)]
struct Receiving {
    token: u64,
    next: u64,
    unconsumed: usize,
    stopped: bool,
}

/// One thing that an application may do. Numbers pick one of what there is.
#[derive(Clone, Debug)]
pub(super) enum Action {
    Call { size: usize, uploads: u8, one_way: bool, deadline: Option<u64> },
    Reply { pick: usize, download: bool },
    Send { pick: usize, items: usize, size: usize },
    End { pick: usize },
    Stop { pick: usize },
    Consume { pick: usize },
    Cancel { pick: usize },
    Settle,
}

impl App {
    /// Does one thing, if there is something to do it to.
    pub(super) fn act(&mut self, end: &mut End, action: Action) {
        match action {
            Action::Call { size, uploads, one_way, deadline } => {
                self.call(end, size, uploads, one_way, deadline);
            }
            Action::Reply { pick, download } => {
                if let Some((id, token)) = nth(self.running.iter().map(|(id, token)| (*id, *token)), pick) {
                    self.reply(end, id, token, download);
                }
            }
            Action::Send { pick, items, size } => {
                if let Some(key) = self.pick_sending(pick) {
                    self.send(end, key, items, size);
                }
            }
            Action::End { pick } => {
                if let Some(key) = self.pick_sending(pick) {
                    self.sending.remove(&key);
                    end.session.end_stream(key, Status::Ok, Vec::new());
                }
            }
            Action::Stop { pick } => {
                if let Some(key) = self.pick_receiving(pick) {
                    end.session.stop_stream(key);
                    self.receiving.get_mut(&key).expect("it was picked").stopped = true;
                }
            }
            Action::Consume { pick } => {
                if let Some(key) = self.pick_receiving(pick) {
                    let stream = self.receiving.get_mut(&key).expect("it was picked");
                    end.session.consumed(key, std::mem::take(&mut stream.unconsumed));
                }
            }
            Action::Cancel { pick } => {
                if let Some((id, token)) = nth(self.waiting.iter().map(|(id, token)| (*id, *token)), pick) {
                    end.session.cancel(CallId(id));
                    self.replies.remove(&token);
                    self.waiting.remove(&id);
                    self.forget_streams(CallSide::Local, id);
                }
            }
            Action::Settle => {
                if let Some(size) = self.notes.pop() {
                    end.session.settle_one_way(size);
                }
            }
        }
        self.observe(end);
    }

    /// Finishes something of everything that is open. Says whether there was anything.
    pub(super) fn finish(&mut self, end: &mut End) -> bool {
        let busy = self.running.len() + self.sending.len() + self.notes.len();
        let held = self.receiving.values().filter(|stream| stream.unconsumed > 0).count();
        for pick in 0..held + self.receiving.len() {
            self.act(end, Action::Consume { pick });
        }
        for _ in 0..busy {
            self.act(end, Action::Reply { pick: 0, download: false });
            self.act(end, Action::End { pick: 0 });
            self.act(end, Action::Settle);
        }
        busy + held > 0
    }

    /// That nothing is open, and every call had its reply.
    pub(super) fn assert_done(&self) {
        assert!(self.waiting.is_empty() && self.receiving.is_empty(), "{self:?}");
        assert!(self.replies.values().all(|count| *count == 1), "{self:?}");
    }

    /// Compares the events with what has to happen.
    pub(super) fn observe(&mut self, end: &mut End) {
        for event in end.take() {
            match event {
                Event::Called { one_way: true, payload, .. } => self.notes.push(payload.len()),
                Event::Called { call, uploads, payload, .. } => {
                    let token = token(&payload);
                    assert_eq!(self.running.insert(call.0, token), None);
                    for stream in 1..=uploads {
                        self.receive(remote(call, stream), token);
                    }
                }
                Event::CallAborted { call, .. } => {
                    self.running.remove(&call.0);
                    self.forget_streams(CallSide::Remote, call.0);
                }
                Event::Replied { call, tag: _, status, payload, download } => {
                    let token = self.waiting.remove(&call.0).expect("it was waited for");
                    if status == Status::Ok {
                        assert_eq!(super::app::token(&payload), token);
                    } else {
                        assert_eq!(status, Status::Deadline);
                    }
                    *self.replies.get_mut(&token).expect("it was not cancelled") += 1;
                    if download {
                        self.receive(local(call, 0), token);
                    }
                }
                Event::Items { key, items } => self.items(key, items),
                Event::Ended { key, .. } => {
                    self.receiving.remove(&key).expect("it was received");
                }
                Event::Stopped { key } => {
                    let stream = self.sending.get_mut(&key).expect("it was not ended");
                    assert!(!std::mem::replace(&mut stream.stopped, true));
                }
                Event::Writable { key } => {
                    assert!(self.sending.contains_key(&key));
                }
                Event::Vacancy | Event::Established => {}
                Event::LaneOffered | Event::LaneReceived | Event::PeerClosing | Event::Closed(_) => {
                    panic!("{event:?}")
                }
            }
        }
    }

    fn call(&mut self, end: &mut End, size: usize, uploads: u8, one_way: bool, deadline: Option<u64>) {
        self.next_token += 1;
        let token = self.next_token;
        let mut payload = token.to_le_bytes().to_vec();
        payload.resize(size.max(8), 0);
        let uploads = if one_way { 0 } else { uploads };
        let deadline = deadline.map(Duration::from_millis);
        let mut made = OpenCall { one_way, uploads, deadline, ..call(payload) };
        match end.session.open_call(&mut made) {
            Ok(_) if one_way => {}
            Ok(id) => {
                assert_eq!(self.waiting.insert(id.0, token), None);
                self.replies.insert(token, 0);
                for stream in 1..=uploads {
                    let before = self.sending.insert(local(id, stream), Sending { token, next: 0, stopped: false });
                    assert!(before.is_none());
                }
            }
            Err(OpenCallError::Full) => {}
            Err(error) => panic!("{error:?}"),
        }
    }

    fn reply(&mut self, end: &mut End, id: u32, token: u64, download: bool) {
        end.session.reply(CallId(id), Status::Ok, token.to_le_bytes().to_vec(), download).expect("it is small");
        self.running.remove(&id);
        if download {
            let before = self.sending.insert(remote(CallId(id), 0), Sending { token, next: 0, stopped: false });
            assert!(before.is_none());
        }
    }

    fn send(&mut self, end: &mut End, key: StreamKey, items: usize, size: usize) {
        let stream = self.sending.get_mut(&key).expect("it was picked");
        let credit = end.session.send_credit(key);
        let (size, row) = (size.max(16), items.is_multiple_of(2));
        let mut batch = Vec::new();
        let mut next = stream.next;
        for _ in 0..items {
            if batch.len() as i64 >= credit {
                break;
            }
            let mut item = [stream.token.to_le_bytes(), next.to_le_bytes()].concat();
            item.resize(size, 0);
            if row {
                batch.extend(item);
            } else {
                push_item(&mut batch, &item);
            }
            next += 1;
        }
        match end.session.send_items(key, if row { size as u32 } else { 0 }, &batch) {
            SendState::Open => stream.next = next,
            SendState::Stopped => assert!(stream.stopped),
        }
    }

    fn receive(&mut self, key: StreamKey, token: u64) {
        let before = self.receiving.insert(key, Receiving { token, next: 0, unconsumed: 0, stopped: false });
        assert!(before.is_none());
    }

    fn items(&mut self, key: StreamKey, mut batch: Items) {
        let stream = self.receiving.get_mut(&key).expect("it is received");
        assert!(!stream.stopped);
        stream.unconsumed += batch.bytes.len();
        while let Some(item) = take_item(&mut batch) {
            assert_eq!((token(&item), token(&item[8..])), (stream.token, stream.next));
            stream.next += 1;
        }
        assert!(stream.unconsumed < 1024 + item_size(1024), "no more than the window and one item");
    }

    fn forget_streams(&mut self, side: CallSide, id: u32) {
        self.sending.retain(|key, _| (key.side, key.call.0) != (side, id));
        self.receiving.retain(|key, _| (key.side, key.call.0) != (side, id));
    }

    fn pick_sending(&self, pick: usize) -> Option<StreamKey> {
        nth(sorted(self.sending.keys()).into_iter(), pick)
    }

    fn pick_receiving(&self, pick: usize) -> Option<StreamKey> {
        nth(sorted(self.receiving.keys()).into_iter(), pick)
    }
}

fn token(payload: &[u8]) -> u64 {
    u64::from_le_bytes(payload[..8].try_into().expect("it is long enough"))
}

/// In an order that does not depend on the hash, so that a failure can be repeated.
fn sorted<'a>(keys: impl Iterator<Item = &'a StreamKey>) -> Vec<StreamKey> {
    let mut keys: Vec<_> = keys.copied().collect();
    keys.sort_by_key(|key| (key.side == CallSide::Local, key.call, key.stream));
    keys
}

fn nth<T>(items: impl ExactSizeIterator<Item = T>, pick: usize) -> Option<T> {
    let len = items.len();
    if len == 0 { None } else { items.into_iter().nth(pick % len) }
}
