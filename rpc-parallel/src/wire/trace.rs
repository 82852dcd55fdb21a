//! The trace that a call belongs to.

/// A W3C trace context: what a call's handler continues in its own process.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) struct TraceContext {
    /// The trace.
    pub(crate) trace_id: [u8; 16],
    /// The caller's span in it.
    pub(crate) span_id: [u8; 8],
    /// The W3C flags; bit 0 says that the trace is sampled.
    pub(crate) flags: u8,
}

impl TraceContext {
    /// The bytes of a trace context on the wire.
    pub(super) const LEN: usize = 25;

    /// Appends the context.
    pub(super) fn encode(&self, out: &mut Vec<u8>) {
        out.extend_from_slice(&self.trace_id);
        out.extend_from_slice(&self.span_id);
        out.push(self.flags);
    }

    /// Reads a context.
    pub(super) fn decode(bytes: &[u8; Self::LEN]) -> Self {
        let mut context = Self { trace_id: [0; 16], span_id: [0; 8], flags: bytes[24] };
        context.trace_id.copy_from_slice(&bytes[..16]);
        context.span_id.copy_from_slice(&bytes[16..24]);
        context
    }
}
