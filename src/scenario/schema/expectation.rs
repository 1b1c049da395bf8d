//! What must hold: the expectations of tests and invariants.

use super::{Ret, TlsVersionWord};
use crate::scenario::source::{Field, Text};

words! {
    /// How a connection was protected, weakest first.
    pub enum TlsWord("a TLS outcome") { Plaintext, Encrypted, Authenticated }
    /// What a report says about a recipient (RFC 3464).
    pub enum DsnAction("an action of a report") { Failed, Delayed, Delivered, Relayed, Expanded }
}

kinds! {
    /// One thing that must hold.
    pub enum Expectation("an expectation") {
        fields {
            Delivered(Delivered), Bounced(Bounced), Expired(Expired), Rejected(Rejected), Discarded(Discarded), Quarantined(Quarantined),
            Looped(Looped), Frozen(Frozen), Queued(Queued), NotModelled(NotModelled), Deferred(Deferred),
            Tried(Tried), Contacted(Contacted), Hops(Hops), Attempts(Attempts), Transactions(Transactions), Copies(Copies), Seen(Seen),
            Touched(Touched), Connections(Connections),
            Chosen(Chosen), PassedOver(PassedOver), Attributed(Attributed), Asked(Asked),
            Tls(TlsExpectation), Ndr(Ndr), DelayNotice(DelayNotice), Notice(Notice), AutomaticReply(AutomaticReply), Checked(Checked),
            Share(Share), Delay(Delay), Queue(Queue), Drained(Drained), Failover(Failover), NothingLost(NothingLost), For(For),
        }
        values { Not(Box<Expectation>), Any(Box<Expectation>), OneOf(Vec<Expectation>), Path(Vec<Text>), Via(Vec<Text>) }
    }
}

schema! {
    /// It arrived.
    pub struct Delivered("`Delivered`") { to: Field<Text>, within: Field<Text>, no_sooner: Field<Text>, junk: Field<bool> }
    /// It came back.
    pub struct Bounced("`Bounced`") {
        code: Field<Text>, by: Field<Text>, said_by: Field<Text>, within: Field<Text>, no_sooner: Field<Text>, text: Field<Text>,
    }
    /// Time ran out.
    pub struct Expired("`Expired`") { code: Field<Text>, by: Field<Text>, within: Field<Text>, no_sooner: Field<Text> }
    /// Nobody took it.
    pub struct Rejected("`Rejected`") { code: Field<Text>, by: Field<Text> }
    /// Taken and forgotten.
    pub struct Discarded("`Discarded`") { by: Field<Text> }
    /// Kept away from the mailbox.
    pub struct Quarantined("`Quarantined`") { by: Field<Text> }
    /// It went round in circles.
    pub struct Looped("`Looped`") { through: Field<Vec<Text>>, code: Field<Text>, by: Field<Text> }
    /// It stays, and nothing will move it.
    pub struct Frozen("`Frozen`") { system: Field<Text> }
    /// Still waiting at the end.
    pub struct Queued("`Queued`") { system: Field<Text>, code: Field<Text>, text: Field<Text> }
    /// The scenario does not say.
    pub struct NotModelled("`NotModelled`") {}
    /// Some attempt ended in a deferral.
    pub struct Deferred("`Deferred`") { by: Field<Text>, to: Field<Text>, code: Field<Text> }

    /// Connections, in order.
    pub struct Tried("`Tried`") { by: Field<Text>, hosts: Field<Vec<Text>> }
    /// Somebody connected there, even in vain.
    pub struct Contacted("`Contacted`") { host: Field<Text>, after: Field<Text>, before: Field<Text> }
    /// The number of hops.
    pub struct Hops("`Hops`") either (is, at_least), (is, at_most) { is: Field<u64>, at_least: Field<u64>, at_most: Field<u64> }
    /// The number of passes of a sender over its candidates.
    pub struct Attempts("`Attempts`") either (is, at_least), (is, at_most) {
        by: Field<Text>, is: Field<u64>, at_least: Field<u64>, at_most: Field<u64>, moments: Field<Vec<Text>>, tolerance: Field<Text>,
    }
    /// The number of SMTP transactions on a hop.
    pub struct Transactions("`Transactions`") either (is, at_least), (is, at_most) { hop: Field<(Text, Text)>, is: Field<u64>, at_least: Field<u64>, at_most: Field<u64> }
    /// How often it arrived.
    pub struct Copies("`Copies`") either (is, at_least), (is, at_most) { is: Field<u64>, at_least: Field<u64>, at_most: Field<u64> }
    /// The envelope sender that a host saw.
    pub struct Seen("`Seen`") { at: Field<Text>, from: Field<Text> }
    /// Who was tried first, how often.
    pub struct Touched("`Touched`") { by: Field<Text>, first: Field<Text>, share: Field<Text>, tolerance: Field<Text> }
    /// The number of connections.
    pub struct Connections("`Connections`") either (is, at_least), (is, at_most) { to: Field<Text>, is: Field<u64>, at_least: Field<u64>, at_most: Field<u64> }

    /// What won.
    pub struct Chosen("`Chosen`") { by: Field<Text>, name: Field<Text>, because: Field<Text> }
    /// What lost.
    pub struct PassedOver("`PassedOver`") { by: Field<Text>, name: Field<Text>, because: Field<Text> }
    /// Whose mail a tenant took it for.
    pub struct Attributed("`Attributed`") { to: Field<Text>, connector: Field<Text>, because: Field<Text> }
    /// A question to DNS.
    pub struct Asked("`Asked`") { by: Field<Text>, name: Field<Text>, r#type: Field<Text> }

    /// How a hop was protected.
    pub struct TlsExpectation("`Tls`") either (is, at_least) {
        hop: Field<(Text, Text)>, is: Field<TlsWord>, at_least: Field<TlsWord>, version: Field<TlsVersionWord>, policy: Field<Text>,
        result: Field<Text>,
    }

    /// A report of failure was handed over.
    pub struct Ndr("`Ndr`") {
        to: Field<Text>, is: Field<u64>, within: Field<Text>, recipients: Field<Vec<Text>>, action: Field<DsnAction>, status: Field<Text>,
        ret: Field<Ret>, text: Field<Text>, envelope_id: Field<Text>,
    }
    /// A notice of delay was handed over.
    pub struct DelayNotice("`DelayNotice`") { to: Field<Text>, is: Field<u64>, within: Field<Text>, moments: Field<Vec<Text>> }
    /// A report of success was handed over.
    pub struct Notice("`Notice`") { to: Field<Text>, is: Field<u64>, within: Field<Text>, action: Field<DsnAction> }
    /// A mailbox answered by itself.
    pub struct AutomaticReply("`AutomaticReply`") { to: Field<Text>, is: Field<u64>, within: Field<Text> }
    /// What a receiver found out about the sender.
    pub struct Checked("`Checked`") { by: Field<Text>, spf: Field<Text>, dkim: Field<Text>, dmarc: Field<Text> }

    /// How many of the recipients in view.
    pub struct Share("`Share`") either (is, at_least), (is, at_most) {
        to: Field<Text>, via: Field<Text>, fate: Field<Text>, is: Field<Text>, tolerance: Field<Text>, at_least: Field<Text>, at_most: Field<Text>,
    }
    /// A percentile of the delays.
    pub struct Delay("`Delay`") { percentile: Field<u64>, at_most: Field<Text> }
    /// The length of a queue.
    pub struct Queue("`Queue`") { system: Field<Text>, at_most: Field<u64> }
    /// A queue is empty again after a fault.
    pub struct Drained("`Drained`") { system: Field<Text>, fault: Field<Text>, within: Field<Text> }
    /// One takes over from another.
    pub struct Failover("`Failover`") { from: Field<Text>, to: Field<Text>, within: Field<Text>, back_within: Field<Text> }
    /// Delivered, under way, or returned.
    pub struct NothingLost("`NothingLost`") {}
    /// A narrower view.
    pub struct For("`For`") {
        from: Field<Text>, to: Field<Text>, traffic: Field<Text>, sent: Field<(Text, Text)>, expect: Field<Vec<Expectation>>,
    }
}
