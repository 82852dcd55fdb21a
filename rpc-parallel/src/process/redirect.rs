//! Where a child's output goes.

use std::{
    fs::{File, OpenOptions},
    path::PathBuf,
    process::Stdio,
};

use super::LaunchError;

/// Where one output of a child goes.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub enum Redirect {
    /// To where ours goes.
    #[default]
    Inherit,
    /// Nowhere.
    Null,
    /// To the end of a file, which is made if it is missing.
    Append(PathBuf),
    /// To a file that is emptied first.
    Truncate(PathBuf),
}

/// Where a child's stderr goes.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub(crate) enum Stderr {
    /// Each line to our stderr with the child's name in front; the last ones are kept for its death report.
    #[default]
    Relay,
    /// The last lines are kept for its death report, and nothing is shown.
    Capture,
    /// Elsewhere. The death report has no lines then.
    To(Redirect),
}

/// An output that is open.
#[derive(Debug)]
pub(super) enum Output {
    Inherit,
    Null,
    File(File),
}

impl Redirect {
    /// Opens what this names.
    ///
    /// A file that is emptied is opened for appending too, so that stdout and stderr may share it, and so that a worker
    /// that is started again does not write into the middle of it.
    pub(super) fn open(&self) -> Result<Output, LaunchError> {
        let (path, truncate) = match self {
            Self::Inherit => return Ok(Output::Inherit),
            Self::Null => return Ok(Output::Null),
            Self::Append(path) => (path, false),
            Self::Truncate(path) => (path, true),
        };
        let open = |options: &mut OpenOptions| options.append(true).create(true).open(path);
        open(&mut OpenOptions::new())
            .and_then(|file| if truncate { file.set_len(0).map(|()| file) } else { Ok(file) })
            .map(Output::File)
            .map_err(|error| LaunchError::NotStarted { what: format!("its output to {}", path.display()), error })
    }
}

impl Output {
    pub(super) fn is_ours(&self) -> bool {
        matches!(self, Self::Inherit)
    }
}

impl From<Output> for Stdio {
    fn from(output: Output) -> Self {
        match output {
            Output::Inherit => Self::inherit(),
            Output::Null => Self::null(),
            Output::File(file) => file.into(),
        }
    }
}
