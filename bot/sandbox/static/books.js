// Books: the ledger of the app, what the providers did, and the list of events.

import { act, clock, grouped, h, icon, spaced } from './dom.js'

const SHOWN = 8
const SPEAKERS = { mpesa: 'M-Pesa', paystack: 'Paystack', pesapal: 'Pesapal', stripe: 'Stripe', clock: 'Clock', shop: 'Shop' }
const EVENTS = 60
const $ = (id) => document.getElementById(id)

// What the accounts and movements of the ledger are called here; a hint shows their real names.
const NAMES = {
  wallet: 'Wallet', 'provider:mpesa': 'At M-Pesa', 'provider:paystack': 'At Paystack', 'provider:pesapal': 'At Pesapal', 'provider:stripe': 'At Stripe', 'fees:withdrawals': 'Fees of withdrawals', 'fees:payments': 'Fees of sales',
  suspense: 'In suspense', owed: 'Owed', sale: 'Sale', sale_fee: 'Fee of a sale', payout: 'Payout', withdrawal_fee: 'Fee of a withdrawal',
  refund: 'Refund', accepted: 'Kept as a sale', reversal: 'Taken back', reversal_owed: 'Taken back, owed', netted: 'Paid of what is owed', payout_returned: 'Payout returned', payout_late: 'Payout after all',
}
const ORDER = Object.keys(NAMES)

let known = new Map()

const called = (name) => NAMES[name] ?? name
const place = (name) => ORDER.indexOf(name) + 1 || ORDER.length + 1

export function showLedger(books) {
  const light = $('light')
  if (books.error) {
    light.dataset.state = 'bad'
    light.textContent = 'cannot be read'
    light.title = books.error
    return
  }
  const balanced = /^-?0+(\.0+)?$/.test(books.sum)
  light.dataset.state = balanced ? 'good' : 'bad'
  light.textContent = balanced ? 'sums to zero' : `off by ${books.sum}`
  light.title = `All accounts together: ${books.sum} ${books.currency}`
  $('ledger-title').textContent = `Ledger, ${books.currency}`
  $('sum').textContent = grouped(books.sum)
  const fresh = new Map()
  const accounts = books.accounts.toSorted((a, b) => place(a.name) - place(b.name))
  $('accounts').replaceChildren(...accounts.map((account) => {
    const now = `${account.posted}|${account.held}`
    fresh.set(account.name, now)
    const changed = known.has(account.name) && known.get(account.name) !== now
    const empty = /^0+(\.0+)?$/.test(account.held)
    return h('tr', { class: changed ? 'changed' : '' }, h('th', { scope: 'row', title: account.name }, called(account.name)),
      h('td', { class: account.posted.startsWith('-') ? 'minus' : '' }, grouped(account.posted)), h('td', { class: empty ? 'nil' : 'held' }, empty ? '–' : grouped(account.held)))
  }))
  known = fresh
  const transfers = books.transfers.slice(0, SHOWN).map((transfer) => h('li', {},
    h('div', {}, h('b', {}, called(transfer.memo || 'transfer')), h('small', { title: `${transfer.from} → ${transfer.to}` }, `${called(transfer.from)} → ${called(transfer.to)}`)),
    h('div', { class: 'right' }, h('span', { class: 'sum' }, grouped(transfer.amount)), h('time', {}, when(transfer.at)))))
  $('transfers').replaceChildren(...(transfers.length ? transfers : [h('li', { class: 'none' }, 'Nothing has moved yet.')]))
}

function when(at) {
  const time = new Date(at)
  return Number.isNaN(time.getTime()) ? at : clock(time)
}

const stands = new Map()

/** Of one provider or of all: what is not told of stays as it is. */
export function showFloats(floats) {
  for (const float of floats) stands.set(`${float.at} ${float.shortcode}`, float)
  $('floats').replaceChildren(...[...stands.values()].map((float) => h('li', { title: float.working ? `Collected and not yet moved to the float: ${grouped(float.working)}` : null },
    h('span', {}, `${float.merchant} at ${float.at}`), h('span', { class: 'right' }, grouped(float.utility)))))
}

/** Prompts and payouts, the latest first. Those that no phone here holds can be answered here. */
export function showMovements(prompts, payouts) {
  const rows = [...prompts.map((prompt) => [prompt, false]), ...payouts.map((payout) => [payout, true])]
  rows.sort(([a], [b]) => b.at - a.at)
  const drawn = rows.slice(0, SHOWN).map(([one, out]) => movement(one, out))
  $('movements').replaceChildren(...(drawn.length ? drawn : [h('li', { class: 'none' }, 'No payment and no payout yet.')]))
}

function movement(one, out) {
  return h('li', { 'data-movement': one.id },
    h('span', { class: `way ${out ? 'out' : 'into'}` }, icon(out ? 'out' : 'into')),
    h('div', {}, h('b', {}, `${out ? 'Payout' : 'Payment'} ${grouped(one.amount)}`), h('small', {}, spaced(one.number))),
    h('div', { class: 'right' }, verdict(one, out), h('time', {}, one.receipt || clock(one.at))), ...moves(one, out))
}

function verdict(one, out) {
  if (one.state !== 'done') return h('span', { class: 'verdict open' }, out ? 'queued' : one.state)
  const good = one.code === '0'
  return h('span', { class: `verdict ${good ? 'good' : 'bad'}`, title: one.description }, good ? (out ? 'sent' : 'paid') : `failed ${one.code}`)
}

function moves(one, out) {
  const id = encodeURIComponent(one.id)
  const move = (words, path, outcome) => h('button', { type: 'button', class: 'plain small', onclick: () => act(`${path}/${id}`, { outcome }) }, words)
  if (out && one.code === '0' && /^bank/.test(one.number)) return [h('div', { class: 'moves' }, move('Bank gives it back', 'payouts', 'give_back'))]
  if (out) return one.state === 'done' ? [] : [h('div', { class: 'moves' }, move('Settle now', 'payouts', 'succeed'), move('Fail', 'payouts', 'fail'))]
  if (one.state === 'done') return one.code === '1037' ? [h('div', { class: 'moves' }, move('Pay late', 'prompts', 'pay'))] : []
  if (one.state === 'ignored' || !one.phone) {
    return [h('div', { class: 'moves' }, move('Pay', 'prompts', 'pay'), move('Cancel', 'prompts', 'cancel'))]
  }
  return []
}

export function addEvent(event) {
  const list = $('events')
  list.prepend(h('li', { class: event.good ? (/^status/.test(event.text) ? 'quiet' : '') : 'bad' }, h('time', {}, clock(event.at)), h('i', { class: `by-${event.who}` }, SPEAKERS[event.who] ?? 'WhatsApp'), h('span', {}, event.text)))
  while (list.childElementCount > EVENTS) list.lastElementChild.remove()
}

export function clearEvents() {
  $('events').replaceChildren()
}
