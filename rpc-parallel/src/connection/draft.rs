//! A call that was not sent yet.

use std::{cell::Cell, fmt};

use bytes::Bytes;

use crate::{connection::RawSender, id::FunctionId, proto::OpenCall};

/// Starts to write one upload once its call is open.
pub(super) type Upload = Box<dyn FnOnce(RawSender) + Send>;

/// A call while its arguments are put together, and until it is sent.
pub(crate) struct Draft {
    pub(super) open: OpenCall,
    pub(super) uploads: Vec<Upload>,
    /// The place among those who wait until the peer takes further calls.
    pub(super) vacancy: Option<u64>,
}

thread_local! {
    /// An empty one, with memory for arguments: most calls are sent before this thread makes the next, and then need no
    /// memory of their own.
    static SPARE: Cell<Option<Box<Draft>>> = const { Cell::new(None) };
}

/// How much memory for arguments a thread keeps.
const KEPT: usize = 4 << 10;

impl Draft {
    /// An empty one.
    #[inline]
    pub(crate) fn new() -> Box<Self> {
        // A thread that ends has no spare any more.
        match SPARE.try_with(Cell::take) {
            Ok(Some(draft)) => draft,
            _ => Self::with_arguments(Vec::new()),
        }
    }

    /// One whose arguments are there already.
    pub(crate) fn with_arguments(payload: Vec<u8>) -> Box<Self> {
        let function = FunctionId::from_raw(0);
        let open = OpenCall {
            function,
            one_way: false,
            deadline: None,
            trace: None,
            uploads: 0,
            payload,
            bulk: Bytes::new(),
        };
        Box::new(Self { open, uploads: Vec::new(), vacancy: None })
    }

    /// Where the arguments go.
    pub(crate) fn arguments(&mut self) -> &mut Vec<u8> {
        &mut self.open.payload
    }

    /// What follows the arguments so far, and is not copied.
    pub(crate) fn set_bulk(&mut self, bulk: Bytes) {
        self.open.bulk = bulk;
    }

    /// Adds a stream. The macro refuses more of them than a byte can count.
    pub(crate) fn add_upload(&mut self, upload: Upload) {
        self.uploads.push(upload);
        self.open.uploads = self.open.uploads.saturating_add(1);
    }

    /// It is sent: its memory serves the next one.
    #[inline]
    pub(super) fn recycle(mut self: Box<Self>) {
        if self.open.payload.capacity() > KEPT {
            self.open.payload = Vec::new();
        }
        self.open.payload.clear();
        self.open.bulk = Bytes::new();
        self.open.uploads = 0;
        (self.open.deadline, self.open.trace) = (None, None);
        self.uploads.clear();
        self.vacancy = None;
        let _ = SPARE.try_with(|spare| spare.set(Some(self)));
    }
}

impl fmt::Debug for Draft {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Draft").field("function", &self.open.function).finish_non_exhaustive()
    }
}
