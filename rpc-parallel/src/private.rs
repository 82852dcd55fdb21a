//! What generated code names. No part of the public API: it may change in any version.

pub use std::{
    clone::Clone,
    convert::Infallible,
    fmt,
    future::Future,
    marker::{PhantomData, Send, Sized, Sync, Unpin},
    option::Option::{self, None, Some},
    result::Result::{self, Err, Ok},
    sync::Arc,
};

pub use inventory;
pub use std::{concat, file, line, module_path};

pub use crate::{
    bootstrap::enter,
    client::{Arguments, Call, CallError, Client, ClientCore, Streaming},
    codec::{CodecError, Reader, Undecodable},
    connection::{Incoming, RawCall},
    flatten::{Flat, Flatten, Otherwise, Probe, ResultType},
    function::{Function, FunctionKind, FunctionParts, Interface},
    handler::{Dispatch, Handler, Loan, Place, Started, Work},
    init::{ConnectionState, Init},
    referent::{Referent, WireReferent},
    registry::{Registered, Registration, Serves, WorkerOf},
    runtime::{Flavor, block_on},
    server::{Answer, Handling, Payload, Upload},
    shape::{
        Decoder, Reply, Shape, State, Streamed, fallible, fallible_state, fallible_streamed, flat, plain, state,
        streamed,
    },
    tail::{OtherTail, Tail},
    value::{
        Argument, Encode, EncodeItem, EncodeReply, Holder, Item, Lent, LentOption, OptionHolder, WireArgument,
        WireError, WireParameter, WireValue, argument, item, lent, lent_option,
    },
};
