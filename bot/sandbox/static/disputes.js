// Disputes: what customers have paid by card, and may have their banks take back; and refunds that fail there.

import { act, grouped, h } from './dom.js'

const NAMES = { paystack: 'Paystack', stripe: 'Stripe' }
const STANDS = { open: 'is disputed', won: 'dispute won', lost: 'dispute lost' }

let panel
let list

/** Beside the faults: closed until somebody wants it, and drawn anew after each act. */
export function disputes() {
  list = h('ol', { 'aria-label': 'Paid at Paystack and Stripe' })
  panel = h('details', { class: 'disputes', name: 'strip', ontoggle: showDisputes }, h('summary', { class: 'chip' }, 'Disputes'), list)
  return panel
}

export async function showDisputes() {
  if (!panel?.open) return
  const { payments } = await (await fetch('/control/disputed')).json()
  list.replaceChildren(...(payments.length ? payments.map(row) : [h('li', { class: 'none' }, 'Nothing was paid at Paystack or Stripe yet.')]))
}

function row(one) {
  const told = [one.dispute ? STANDS[one.dispute.status] : null, ...one.refunds.map((refund) => `refund of ${shown(refund.amount)} ${refund.status}`)].filter(Boolean)
  return h('li', { 'data-paid': one.id }, h('b', {}, `${NAMES[one.provider]} ${one.currency} ${shown(one.amount)}`),
    h('small', {}, told.join(', ')), h('span', { class: 'moves' }, moves(one)))
}

function moves(one) {
  const at = one.provider
  const move = (words, path, body) => h('button', { type: 'button', class: 'plain small', onclick: () => act(path, body).then(showDisputes) }, words)
  const end = (words, status) => move(words, `${at}/disputes/${one.dispute.id}`, { status })
  const failing = one.refunds.filter((refund) => refund.status !== 'failed' && !refund.dispute)
  return [
    one.dispute ? null : move('Dispute', `${at}/disputes`, one.named),
    ...(one.dispute?.status === 'open' ? [end('The shop wins', 'won'), end('The shop loses', 'lost')] : []),
    ...failing.map((refund) => move(`Refund of ${shown(refund.amount)} fails`, `${at}/refunds/${refund.id}`, { status: 'failed' })),
  ]
}

const shown = (cents) => grouped((cents / 100).toFixed(2)).replace(/\.00$/, '')
