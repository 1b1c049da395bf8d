//! Which resource of an Exchange server is short, and how short?
//!
//! Source: Exchange Server "Back pressure" (resources monitored, utilization levels).

/// A resource under pressure.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct Pressure {
    /// Which.
    pub resource: Resource,
    /// How much.
    pub level: PressureLevel,
}

/// What is short.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Resource {
    /// Messages that wait for the categorizer.
    SubmissionQueue,
    /// Transactions of the queue database that are in memory only.
    UsedVersionBuckets,
    /// Space on the drives of the queue database.
    UsedDiskSpace,
    /// Space in the queue database.
    DatabaseUsedSpace,
    /// Memory of the transport service.
    PrivateBytes,
    /// Memory of all processes together.
    SystemMemory,
}

/// Above normal.
#[derive(Clone, Copy, Debug, Eq, Ord, PartialEq, PartialOrd)]
pub enum PressureLevel {
    /// Somewhat overused.
    Medium,
    /// Severely overused.
    High,
}

impl Resource {
    /// As Get-ExchangeDiagnosticInfo calls it.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::SubmissionQueue => "QueueLength[SubmissionQueue]",
            Self::UsedVersionBuckets => "UsedVersionBuckets",
            Self::UsedDiskSpace => "UsedDiskSpace",
            Self::DatabaseUsedSpace => "DatabaseUsedSpace",
            Self::PrivateBytes => "PrivateBytes",
            Self::SystemMemory => "SystemMemory",
        }
    }
}

impl PressureLevel {
    /// As the documentation calls it.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Medium => "medium",
            Self::High => "high",
        }
    }
}
