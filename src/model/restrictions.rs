//! Which domains of senders and recipients does a mail server refuse because they do not exist or take no mail (Postfix smtpd)?

/// Lists of restrictions, each in its order.
#[derive(Clone, Debug, Default, Eq, Hash, PartialEq)]
pub struct Restrictions {
    /// `smtpd_sender_restrictions`
    pub sender: Vec<Restriction>,
    /// `smtpd_recipient_restrictions`
    pub recipient: Vec<Restriction>,
    /// `unknown_address_reject_code`; 0 = 450.
    pub unknown_code: u16,
}

impl Restrictions {
    /// Is nobody looked at?
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.sender.is_empty() && self.recipient.is_empty()
    }
}

/// One of a list.
#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq)]
pub enum Restriction {
    /// `permit_mynetworks`: clients that may send anywhere are asked nothing more of the list.
    PermitNetworks,
    /// `permit_sasl_authenticated`
    PermitLogin,
    /// `permit`: the list ends.
    Permit,
    /// `reject_unknown_sender_domain`
    UnknownSender,
    /// `reject_unknown_recipient_domain`
    UnknownRecipient,
}
