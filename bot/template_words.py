"""Template words: what we recommend merchants to submit to Meta, in the category utility. The templates are
theirs: they may word them otherwise, with as many parameters in the same order. `docs/templates.md` shows
these.

Meta takes no body that begins or ends with a parameter.
"""

from typing import NamedTuple

from bot.sending.purposes import Purpose


class Words(NamedTuple):
    """`buttons` are quick replies."""

    body: str
    buttons: tuple[str, ...] = ()


WORDS: dict[Purpose, dict[str, Words]] = {
    Purpose.WITHDRAWAL_REQUEST: {
        "en": Words(
            "Withdrawal {{1}} is waiting for your decision.\nAsked by: {{2}}\nAmount: {{3}}\nFee: {{4}}\n"
            "After the fee: {{5}}\nTo: {{6}}\nYou have until {{7}} to decide.",
            ("Approve", "Reject"),
        ),
        "sw": Words(
            "Ombi {{1}} la kutoa pesa linasubiri uamuzi wako.\nLimeombwa na: {{2}}\nKiasi: {{3}}\n"
            "Ada: {{4}}\nBaada ya ada: {{5}}\nKwenda: {{6}}\nUna hadi {{7}} kuamua.",
            ("Idhinisha", "Kataa"),
        ),
        "fr": Words(
            "Le retrait {{1}} attend votre décision.\nDemandé par : {{2}}\nMontant : {{3}}\nFrais : {{4}}\n"
            "Après les frais : {{5}}\nVers : {{6}}\nVous avez jusqu'au {{7}} pour décider.",
            ("Approuver", "Refuser"),
        ),
    },
    Purpose.WITHDRAWAL_OUTCOME: {
        "en": Words("News of withdrawal {{1}} of {{2}}: {{3}} Write to us to see more."),
        "sw": Words("Habari za ombi {{1}} la kutoa {{2}}: {{3}} Tuandikie kuona zaidi."),
        "fr": Words("Nouvelles du retrait {{1}} de {{2}} : {{3}} Écrivez-nous pour en savoir plus."),
    },
    Purpose.RECEIPT: {
        "en": Words("Thank you. We have received {{1}} for order {{2}}. {{3}} Write to us for the receipt."),
        "sw": Words("Asante. Tumepokea {{1}} kwa oda {{2}}. {{3}} Tuandikie kupata risiti."),
        "fr": Words(
            "Merci. Nous avons reçu {{1}} pour la commande {{2}}. {{3}} Écrivez-nous pour avoir le reçu."
        ),
    },
    Purpose.PAYMENT: {
        "en": Words("About your payment for order {{1}}: {{2}} Write to us to go on."),
        "sw": Words("Kuhusu malipo yako ya oda {{1}}: {{2}} Tuandikie ili kuendelea."),
        "fr": Words("Au sujet de votre paiement de la commande {{1}} : {{2}} Écrivez-nous pour continuer."),
    },
    Purpose.PAYMENT_REQUEST: {
        "en": Words(
            "We ask you to pay {{1}} for: {{2}}\nThis is order {{3}} of our shop.",
            ("Pay", "Not now", "Change method"),
        ),
        "sw": Words(
            "Tunakuomba ulipe {{1}} kwa: {{2}}\nHii ni oda {{3}} ya duka letu.",
            ("Lipa", "Si sasa", "Badilisha njia"),
        ),
        "fr": Words(
            "Nous vous demandons de payer {{1}} pour : {{2}}\nC'est la commande {{3}} de notre boutique.",
            ("Payer", "Pas maintenant", "Changer de moyen"),
        ),
    },
    Purpose.ORDER: {
        "en": Words("About your order {{1}}: {{2}} Write to us if you have a question."),
        "sw": Words("Kuhusu oda yako {{1}}: {{2}} Tuandikie ukiwa na swali."),
        "fr": Words("Au sujet de votre commande {{1}} : {{2}} Écrivez-nous si vous avez une question."),
    },
    Purpose.ACCOUNT: {
        "en": Words("About your account with our shop: {{1}} Write to us if this was not you."),
        "sw": Words("Kuhusu akaunti yako kwenye duka letu: {{1}} Tuandikie kama si wewe."),
        "fr": Words("Au sujet de votre compte chez nous : {{1}} Écrivez-nous si ce n'était pas vous."),
    },
    Purpose.STAFF: {
        "en": Words("A notice for those who run the shop: {{1}} Write to us to see more."),
        "sw": Words("Taarifa kwa wanaoendesha duka: {{1}} Tuandikie kuona zaidi."),
        "fr": Words("Avis pour ceux qui gèrent la boutique : {{1}} Écrivez-nous pour en savoir plus."),
    },
    Purpose.SUMMARY: {
        "en": Words("Sales of the shop: {{1}} Write to us to see more."),
        "sw": Words("Mauzo ya duka: {{1}} Tuandikie kuona zaidi."),
        "fr": Words("Les ventes de la boutique : {{1}} Écrivez-nous pour en savoir plus."),
    },
}
