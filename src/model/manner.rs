//! How does a Send connector connect, where that differs from what its server does anyway?
//!
//! Source: cmdlet parameters of New-SendConnector and Set-TransportService.

use crate::base::ResolverId;
use std::net::IpAddr;

/// The manner of a connector; the default is that of its server.
#[derive(Clone, Copy, Debug, Default, Eq, Hash, PartialEq)]
pub struct Manner {
    /// `ForceHELO`
    pub helo: bool,
    /// `ErrorPolicies`
    pub errors: ErrorPolicies,
    /// `FrontendProxyEnabled`
    pub through_front_end: bool,
    /// `UseExternalDNSServersEnabled` with `ExternalDNSServers`, or `InternalDNSServers`: who is asked instead of the machine's own resolver.
    pub resolver: Option<ResolverId>,
    /// `SourceIPAddress`
    pub source: Option<IpAddr>,
    /// `ConnectionInactivityTimeOut`, nanoseconds; 0 = as delivered.
    pub patience_ns: u64,
}

/// Which replies and failures change their class.
#[derive(Clone, Copy, Debug, Default, Eq, Hash, PartialEq)]
pub struct ErrorPolicies {
    /// `DowngradeDnsFailures`: a name that cannot be found is looked for again.
    pub downgrades_dns: bool,
    /// `DowngradeCustomFailures`: what a server refuses for good is tried again.
    pub downgrades_replies: bool,
    /// `UpgradeCustomFailures`: what a server refuses for now is given up.
    pub upgrades_replies: bool,
}
