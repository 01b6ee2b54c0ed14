// The strip of faults: what shall go wrong next.

import { disputes } from './disputes.js'
import { act, h, icon } from './dom.js'

const PLACES = {
  'graph.send': 'Message to WhatsApp',
  'graph.media': 'File to WhatsApp',
  'graph.webhook': 'Webhook from WhatsApp',
  'graph.statuses': 'Statuses from WhatsApp',
  'stk.request': 'Asking for a payment',
  'stk.outcome': 'The payer',
  'stk.callback': 'Payment callback',
  'stk.query': 'Payment query',
  'qr.draw': 'Drawing an M-Pesa QR',
  'c2b.register': 'Registering at M-Pesa',
  'c2b.callback': 'Callback of who pays by hand',
  'b2c.request': 'Asking for a payout',
  'b2c.outcome': 'The payout',
  'b2c.callback': 'Payout callback',
  'status.query': 'Payout query',
  'status.callback': 'Payout query callback',
  'paystack.initialize': 'Opening a page of Paystack',
  'paystack.charge': 'Charging a card at Paystack',
  'paystack.prompt': 'Asking a phone by Paystack',
  'paystack.payer': 'The payer of Paystack',
  'paystack.told': 'What Paystack tells of a payment',
  'paystack.check': 'Payment query at Paystack',
  'paystack.forget': 'Forgetting a card at Paystack',
  'paystack.refund': 'Asking Paystack for a refund',
  'paystack.refunded': 'The refund at Paystack',
  'paystack.refund_check': 'Refund query at Paystack',
  'paystack.recipient': 'Naming a bank account',
  'paystack.transfer': 'Asking for a bank transfer',
  'paystack.outcome': 'The bank transfer',
  'paystack.webhook': 'Webhook from Paystack',
  'paystack.verify': 'Bank transfer query',
  'pesapal.token': 'Pesapal token',
  'pesapal.ipn': 'Registering at Pesapal',
  'pesapal.order': 'Asking Pesapal for a page',
  'pesapal.outcome': 'The payer at Pesapal',
  'pesapal.notice': 'Notification of Pesapal',
  'pesapal.status': 'Pesapal query',
  'pesapal.refund': 'Asking Pesapal for a refund',
  'pesapal.cancel': 'Closing a page of Pesapal',
  'stripe.session': 'Opening a card page',
  'stripe.charge': 'Charging a saved card',
  'stripe.outcome': 'The card',
  'stripe.refund': 'Asking for a card refund',
  'stripe.refunded': 'The card refund',
  'stripe.query': 'Card payment query',
  'stripe.webhook': 'Card webhook',
  oauth: 'M-Pesa token',
}

const NAMES = {
  500: 'server error', 503: 'unavailable (503)', 190: 'token expired (190)', 130429: 'rate limit (130429)',
  131056: 'pair rate limit (131056)', 131047: 'window closed (131047)', 131000: 'unknown error (131000)',
  drop: 'accepted, connection dropped', failed: 'accepted, fails later', '500_after': 'accepted, answers 500',
  callback_first: 'callback before the answer', spike: 'spike arrest', busy: 'system is busy', token: 'token killed',
  twice: 'comes twice', asks: 'asks first', broken: 'is no picture', forged: 'a forged one first', reversed: 'in the wrong order', lost: 'is lost', late: 'is late (5 s)',
  pay: 'pays at once', wrong_pin: 'wrong PIN', no_funds: 'not enough money', cancel: 'cancels', ignore: 'ignores it',
  fail: 'fails (2040)', initiator: 'initiator invalid (2001)', queue_timeout: 'queue timeout, no result',
  queue_timeout_then_result: 'queue timeout, then result', hang: 'hangs until settled', forbidden: 'transfers not enabled', blocked: 'is blocked',
  otp: 'asks for a code', given_back: 'the bank gives it back',
  given_back_later: 'paid, then given back', keys: 'keys refused', limit: 'test limit reached', abandon: 'leaves the page',
  other_amount: 'another amount is told', other_currency: 'another currency is told', other_order: 'another order is told',
  unheard: 'a status unheard of', contradictory: 'told as paid and failed', other_way: 'comes by GET',
  declined: 'is declined', insufficient: 'has too little money', paused: 'its bank asks who pays', insufficient_funds: 'has too little money', authentication_required: 'its bank asks who pays',
  processing: 'takes its time', pending: 'takes its time', failed_later: 'is made, then fails', needs_attention: 'waits for the shop', unordered: 'in another order',
  stale: 'one of an hour ago first', denied: 'told as failed', wrong_amount: 'tells another amount', wrong_currency: 'tells another currency',
}

const QUICK = [
  ['graph.send', '130429', 'WhatsApp rate limit'], ['graph.send', 'drop', 'WhatsApp answer lost'],
  ['stk.callback', 'lost', 'Payment callback lost'], ['stk.callback', 'twice', 'Payment callback twice'],
  ['b2c.outcome', 'fail', 'Payout fails'], ['b2c.outcome', 'queue_timeout', 'Payout queue timeout'],
]

const words = (at, fault) => `${PLACES[at] ?? at}: ${NAMES[fault] ?? fault}`

export function buildStrip(root, catalogue) {
  const arm = (at, fault, times = 1) => act('faults', { at, fault, times })
  const choice = h('select', { 'aria-label': 'Fault' }, Object.entries(catalogue).map(([at, faults]) =>
    h('optgroup', { label: PLACES[at] ?? at }, faults.map((fault) => h('option', { value: `${at}|${fault}` }, words(at, fault))))))
  const times = h('input', { type: 'number', min: '1', max: '99', value: '1', 'aria-label': 'How many times' })
  root.replaceChildren(
    h('b', { class: 'lead' }, 'Let something go wrong next:'),
    h('div', { class: 'quick' }, QUICK.map(([at, fault, name]) => h('button', { type: 'button', class: 'chip', title: words(at, fault), onclick: () => arm(at, fault) }, name))),
    h('details', { class: 'more', name: 'strip' }, h('summary', { class: 'chip' }, 'More'),
      h('form', { onsubmit: (event) => { event.preventDefault(); const [at, fault] = choice.value.split('|'); arm(at, fault, Number(times.value)) } },
        choice, times, h('button', { type: 'submit', class: 'plain' }, 'Arm'))),
    disputes(),
    h('div', { class: 'armed', id: 'armed', 'aria-live': 'polite' }))
}

export function showArmed(faults) {
  document.getElementById('armed').replaceChildren(...faults.map(({ at, fault, times }) =>
    h('button', { type: 'button', class: 'chip on', title: 'Disarm', onclick: () => act(`faults?at=${at}`, {}, 'DELETE') },
      `${words(at, fault)} ×${times}`, icon('close'))))
}
