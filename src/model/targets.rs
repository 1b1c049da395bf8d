//! What does a sender make of the hosts that DNS or its configuration names: which are left out, which are itself, and how are they called?
//!
//! Sources: Exim's specification (`ignore_target_hosts`, `self`, `hosts_treat_as_local`, `hosts_randomize`), sendmail op.me `DontExpandCnames`, postconf(5)
//! `smtp_cname_overrides_servername`.

use super::host_list::HostList;

/// What a sender makes of some targets.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Targets {
    /// Exim `ignore_target_hosts`: as if these addresses did not exist.
    pub ignored: Vec<ipnet::IpNet>,
    /// Exim `hosts_randomize`: lists that somebody wrote are put into an order of luck.
    pub shuffled: bool,
    /// Exim `hosts_treat_as_local`: hosts of these names are the sender itself.
    pub treated_as_own: HostList,
    /// Where `self = reroute` leads: the domain that takes the recipient's place.
    pub rerouted_to: Option<Box<str>>,
    /// Sendmail `DontExpandCnames`: a recipient keeps a domain that is an alias.
    pub keeps_aliases: bool,
    /// Which name a host has that was found by an alias.
    pub alias_names: AliasNames,
    /// Exim `self`: what becomes of mail whose best MX is the sender.
    pub own: OwnTarget,
}

impl Targets {
    /// Do the settings say that a host of this name is the sender itself?
    #[must_use]
    pub fn treats_as_own(&self, name: &str) -> bool {
        !self.treated_as_own.0.is_empty() && self.treated_as_own.means(name, std::net::Ipv4Addr::UNSPECIFIED.into(), |_| false)
    }
}

/// Which name a host has that was found by an alias: certificates must carry it, and it is the one that is shown.
#[derive(Clone, Copy, Debug, Default, Eq, Hash, PartialEq)]
pub enum AliasNames {
    /// That of the MX record; of a domain without one what the domain leads to.
    #[default]
    OfList,
    /// The one that was asked for (Postfix).
    Asked,
    /// What the alias leads to (Postfix `smtp_cname_overrides_servername`).
    Final,
}

/// What becomes of mail whose best MX is the sender itself.
#[derive(Clone, Copy, Debug, Default, Eq, Hash, PartialEq)]
pub enum OwnTarget {
    /// As the profile does.
    #[default]
    AsProfile,
    /// It waits.
    Defers,
    /// It is returned.
    Fails,
    /// The next router has it; here there is none.
    Passes,
    /// It is sent there all the same.
    IsUsed,
    /// The recipient goes on in another domain.
    Reroutes,
}
