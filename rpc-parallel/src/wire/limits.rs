//! What a receiver allows its peer to send.

use crate::settings::Settings;

/// The limits that one side announces in its Hello and that the other has to respect.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) struct Limits {
    /// The largest message: arguments of a call, a reply, one item.
    pub(crate) max_message_size: usize,
    /// The credit that every stream starts with.
    pub(crate) stream_window: usize,
    /// How many calls may be open; as many one-way messages may be unsettled.
    pub(crate) max_open_calls: u32,
    /// How many bytes of arguments the open calls may have; as many the unsettled one-way messages.
    pub(crate) max_open_bytes: usize,
}

impl Limits {
    /// What a peer that announces nothing is held to allow: the least that settings can say.
    pub(crate) const LEAST: Self =
        Self { max_message_size: 1 << 10, stream_window: 1 << 10, max_open_calls: 1, max_open_bytes: 1 << 10 };

    /// The limits that follow from a side's own settings.
    pub(crate) fn of(settings: &Settings) -> Self {
        Self {
            max_message_size: settings.max_message_size,
            stream_window: settings.stream_window,
            max_open_calls: u32::try_from(settings.max_open_calls).unwrap_or(u32::MAX),
            max_open_bytes: settings.max_open_bytes,
        }
    }
}
