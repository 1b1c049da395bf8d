//! Which MTA-STS policy does a sender know for a domain? Asked when a real one would, kept as long, and gone stale like there.
//!
//! The record is asked for at each attempt (its TTL decides how often that leaves the resolver); the file is fetched when the id is new, when nothing
//! is kept any more, and once a day. Who shares a resolver shares what is kept. Sources: RFC 8461 §3 and §5.1, §10.2 (refresh).
//! Not modelled: DNS of the policy host, the size limit of the file. An unanswered fetch costs one exchange, a good one three.

use super::starttls::trusts;
use super::world::World;
use crate::base::{DAY, Interner, MILLISECOND, MINUTE, NameId, ResolverId, SECOND, SimTime, TlsVersion};
use crate::decide::mta_sts::{Policy, Site, believe, read_record};
use crate::decide::profile::Subject;
use crate::decide::tls::{Eyes, Wanted, facts};
use crate::decide::{Decision, because};
use crate::model::dns::{RecordData, RecordType};
use crate::model::fault::FaultKind;
use crate::model::mta_sts::PolicyHostFault;
use crate::model::settings::{NextHop, Target};
use crate::trace::NONE;
use std::collections::BTreeMap;

/// One exchange with a policy host.
const EXCHANGE_NS: u64 = 20 * MILLISECOND;
/// After a failure nobody asks again for the same id for so long (RFC 8461 §3.3).
const REST_NS: u64 = 5 * MINUTE;
const RFC: &str = "RFC 8461 §3, §5.1";

/// What all senders keep.
#[derive(Clone, Debug, Default)]
pub(crate) struct Policies {
    kept: BTreeMap<(ResolverId, NameId), Kept>,
    known: Interner<Learned>,
}

impl Policies {
    /// What was learned, by its number.
    pub(super) fn learned(&self, number: u32) -> &Learned {
        self.known.get(number)
    }
}

/// What a job knows about the policy of its next hop.
#[derive(Clone, Debug, Eq, Hash, PartialEq)]
pub(super) struct Learned {
    pub(super) domain: NameId,
    pub(super) policy: Option<Policy>,
    /// RFC 8460 result of a fetch that failed.
    pub(super) failed: Option<&'static str>,
}

#[derive(Clone, Debug, Default)]
struct Kept {
    policy: Option<Policy>,
    id: Box<str>,
    fetched: SimTime,
    expires: SimTime,
    failure: Option<(Box<str>, SimTime, &'static str)>,
}

impl<const LEVEL: u8> World<'_, LEVEL> {
    /// Learns the policy of the domain that a job goes to; says when it is known.
    pub(super) fn learn_policy(&mut self, job: u32, hop: &NextHop, at: SimTime) -> SimTime {
        self.jobs[job].learned = NONE;
        let Target::Mx(domain) = hop.target else { return at };
        let policy = self.policy_of_hop(job);
        if !policy.mta_sts {
            return at;
        }
        let copy = self.jobs[job].copy;
        let client = self.copies[copy].host;
        let resolver = self.model.hosts[client.index()].resolver;
        let text = self.tables.names.text(domain).to_owned();
        let record = self.tables.names.intern(&format!("_mta-sts.{text}"));
        let slot = self.question(resolver, record, RecordType::Txt);
        let luck = (self.messages[self.copies[copy].message].luck, self.copies[copy].luck());
        let before = self.trace.lookups.len();
        let told = self.ask(slot, at, luck, (self.copies[copy].number, self.copies[copy].pass));
        self.lookups_of_job(job, before);
        let mut at = told.at;
        let id = read_record(self.resolvers.answer(told.answer).records().iter().filter_map(RecordData::text));
        let mut kept = self.policies.kept.get(&(resolver, domain)).cloned().unwrap_or_default();
        // Who asks while somebody else fetches it has it, or has it not, when he has.
        at = at.max(kept.fetched).max(kept.failure.as_ref().map_or(at, |(_, since, _)| *since));
        let valid = |kept: &Kept, at: SimTime| kept.policy.is_some() && at < kept.expires;
        let say = |rule, why: String| Decision::for_reason((), because(rule, text.as_str(), why, RFC));
        let mut fresh = false;
        let decision = match id {
            None if valid(&kept, at) => say("STS-2", format!("no record now, but the policy with id {} is still kept", kept.id)),
            None if kept.policy.is_some() => say("STS-1", "no record, and the policy that was kept is over".into()),
            None => say("STS-1", "no record `v=STSv1`: no policy".into()),
            Some(id) if valid(&kept, at) && id == kept.id && at.since(kept.fetched) < DAY => {
                say("STS-2", format!("the policy with id {id} is still kept"))
            }
            Some(id) => {
                let rests = kept.failure.as_ref().filter(|(of, since, _)| *of == id && at.since(*since) < REST_NS).map(|(_, _, why)| *why);
                let fetched = match rests {
                    Some(result) => Err((result, "it failed less than five minutes ago")),
                    None => {
                        let (found, cost) = self.fetch_policy(client, domain, &text, at);
                        at = at.after(cost);
                        found
                    }
                };
                match fetched {
                    Ok(policy) => {
                        let why = format!("policy with id {id} fetched: {}, kept for {}s", policy.mode.as_str(), policy.max_age_seconds);
                        let expires = at.after(u64::from(policy.max_age_seconds) * SECOND);
                        kept = Kept { policy: Some(policy), id, fetched: at, expires, failure: None };
                        fresh = true;
                        say("STS-3", why)
                    }
                    Err((result, why)) => {
                        if rests.is_none() {
                            kept.failure = Some((id, at, result));
                        }
                        let what = if valid(&kept, at) { "the old policy stays" } else { "as without a policy" };
                        say("STS-4", format!("the policy cannot be had ({why}, {result}): {what}"))
                    }
                }
            }
        };
        let policy = kept.policy.clone().filter(|_| fresh || at < kept.expires);
        let failed = kept.failure.as_ref().map(|(_, _, result)| *result);
        if policy.is_some() || failed.is_some() {
            let failed = failed.filter(|_| !fresh);
            self.jobs[job].learned = self.policies.known.intern(Learned { domain, policy, failed });
        }
        if kept.policy.is_some() || kept.failure.is_some() {
            self.policies.kept.insert((resolver, domain), kept);
        }
        let stored = self.store("which MTA-STS policy?", client, NONE, &decision);
        self.trace_of_job(job, &[stored]);
        at
    }

    /// Fetches the file over HTTPS: what it says, and what that costs.
    fn fetch_policy(
        &self,
        client: crate::base::HostId,
        domain: NameId,
        text: &str,
        at: SimTime,
    ) -> (Result<Policy, (&'static str, &'static str)>, u64) {
        let model = self.model;
        let fault = model.mta_sts_faults.iter().find_map(|number| {
            let fault = &model.faults[*number as usize];
            let FaultKind::MtaSts { domain: struck, how } = fault.kind else { return None };
            (struck == domain && fault.window.has(at)).then_some(how)
        });
        let sites = &model.versions[model.version_at(at)].mta_sts;
        let site = sites.iter().find(|site| site.domain == domain);
        let certificate = site.and_then(|site| site.certificate).map(|id| model.certificate(id));
        let (Some(site), Some(certificate)) = (site, certificate) else { return (believe(&Site::Down), EXCHANGE_NS) };
        let host = format!("mta-sts.{text}");
        let trusts = trusts(&certificate.issuer, client);
        let wanted = [Wanted::Name(&host)];
        let revocation = self.rules(client).tls.revocation;
        let eyes = Eyes { trusts, wanted: &wanted, own: &[&host], subject_counts: Subject::Never, revocation };
        let mut facts = facts(certificate, TlsVersion::Tls13, at, &eyes);
        let site = match fault {
            Some(PolicyHostFault::HttpsDown) => return (believe(&Site::Down), EXCHANGE_NS),
            Some(PolicyHostFault::PolicyGone) => Site::Gone,
            Some(PolicyHostFault::BadCertificate) => {
                (facts.trusted, facts.distrust) = (false, "the certificate of the policy host is not trusted");
                Site::Page(&site.text, facts)
            }
            Some(PolicyHostFault::Malformed) => Site::Page("<html>", facts),
            None => Site::Page(&site.text, facts),
        };
        (believe(&site), 3 * EXCHANGE_NS)
    }
}
