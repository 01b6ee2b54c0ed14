// The phones page: loads the state of the sandbox, then follows its events.

import { addEvent, clearEvents, showFloats, showLedger, showMovements } from './books.js'
import { act, clock, day, h, icon, now, setNow } from './dom.js'
import { showDisputes } from './disputes.js'
import { buildStrip, showArmed } from './faults.js'
import { Guide } from './guide.js'
import { Handset } from './phone.js'
import { addPost, buildWebhooks, loadWebhooks, openWebhooks, showAnswer, showEndpoint } from './webhooks.js'

const $ = (id) => document.getElementById(id)

let state
let shop
let handsets = new Map()
let prompts = new Map()
let payouts = new Map()
let stream
const guide = new Guide($('guide'), $('help'), showTurn)

async function load() {
  const answer = await fetch('/control/state')
  state = await answer.json()
  setNow(state.now)
  showTime()
  await loadWebhooks()
  shop = state.shops.find((one) => one.id === shop?.id) ?? state.shops[0]
  prompts = new Map(state.prompts.map((prompt) => [prompt.id, prompt]))
  payouts = new Map(state.payouts.map((payout) => [payout.id, payout]))
  drawShops()
  drawPhones()
  guide.begin(state.guide)
  for (const chat of state.chats) chat.messages.forEach((message) => guide.hear(message))
  clearEvents()
  state.log.forEach(addEvent)
  buildStrip($('strip'), state.catalogue)
  showArmed(state.faults)
  showFloats(state.floats)
  showMovements([...prompts.values()], [...payouts.values()])
  if (state.ledger) showLedger(state.ledger)
}

function showTime() {
  $('time').textContent = `${day(now()) === 'Today' && Math.abs(now() - Date.now()) < 3_600_000 ? '' : dated(now())}${clock(now())}`
}

function dated(ms) {
  return `${new Date(ms).toLocaleDateString('en-GB', { day: 'numeric', month: 'short', timeZone: 'Africa/Nairobi' })}, `
}

const MOVES = [[1, '1 hour'], [23, '23 hours'], [25, '25 hours'], [168, '7 days']]

function drawTools() {
  $('moves').append(icon('time'), h('span', { id: 'time' }))
  $('moves').closest('details').append(h('div', { class: 'menu' }, h('b', {}, 'Move all clocks on by'),
    MOVES.map(([hours, words]) => h('button', { type: 'button', onclick: () => { shut(); act('clock', { hours }) } }, words))))
  const name = h('input', { type: 'text', placeholder: 'Name', 'aria-label': 'Name', required: true, maxlength: '30', autocomplete: 'off' })
  const number = h('input', { type: 'tel', placeholder: 'Number, or none', 'aria-label': 'Phone number, or none', autocomplete: 'off' })
  const add = async (event) => {
    event.preventDefault()
    if (await act('phones', { name: name.value, number: number.value || null })) { event.target.reset(); shut() }
  }
  $('reset').closest('details').append(h('div', { class: 'menu fill wide' },
    h('p', {}, 'Chats, prompts and what the providers remember begin anew. The app keeps its books, orders, saved methods and staff.'),
    h('small', {}, 'To forget those too, stop it and run ', h('code', {}, 'python main.py sandbox --reset')),
    h('button', { type: 'button', class: 'main', onclick: () => { shut(); act('reset') } }, 'Empty phones and providers')))
  $('add').append(icon('plus'), h('span', {}, 'Phone'))
  $('add').closest('details').append(h('form', { class: 'menu fill', onsubmit: add }, h('b', {}, 'Somebody else'), name, number,
    h('small', {}, 'Without a number WhatsApp shows a username only.'), h('button', { type: 'submit', class: 'main' }, 'Add phone')))
}

function shut() {
  for (const open of document.querySelectorAll('.topbar details[open], .strip details[open]')) open.open = false
}

function drawShops() {
  $('shop-choice').hidden = state.shops.length < 2
  $('shop').replaceChildren(...state.shops.map((one) => h('option', { value: one.id, selected: one.id === shop.id }, one.name)))
}

function drawPhones() {
  const shown = document.querySelector('.handset.shown')?.dataset.phone
  handsets = new Map(state.phones.map((person) => [person.key, new Handset(person, shop, showUnread, state.languages)]))
  $('handsets').replaceChildren(...[...handsets.values()].map((handset) => handset.element))
  $('tabs').replaceChildren(...state.phones.map((person) => tab(person.key, person.name)), tab('side', 'Books'), sheetTab())
  for (const chat of state.chats) if (chat.shop === shop.id) handsets.get(chat.phone).load(chat)
  for (const text of state.sms) handsets.get(text.phone)?.addText(text, { old: true })
  for (const prompt of prompts.values()) handsets.get(prompt.phone)?.setPrompt(prompt, state.prompt_timeout)
  show(shown ?? state.phones[0].key)
}

function tab(key, name) {
  return h('button', { type: 'button', 'data-tab': key, onclick: () => { show(key); reach(key) } }, name, h('span', { class: 'badge', hidden: true }))
}

/** In a narrow window the sheet of webhooks is opened from here. */
function sheetTab() {
  return h('button', { type: 'button', class: 'sheet-tab', hidden: $('hooks').hidden, onclick: (event) => openWebhooks(event.currentTarget) }, 'Webhooks')
}

function show(key) {
  for (const element of [...document.querySelectorAll('.handset'), $('side')]) {
    element.classList.toggle('shown', element.id === `phone-${key}` || element.id === key)
  }
  for (const button of $('tabs').querySelectorAll('[data-tab]')) {
    button.setAttribute('aria-pressed', String(button.dataset.tab === key))
    if (button.dataset.tab === key) $('tabs').scrollTo({ left: button.offsetLeft - ($('tabs').clientWidth - button.offsetWidth) / 2 })
  }
  handsets.get(key)?.bottom()
  handsets.get(key)?.look()
}

function reach(key) {
  const target = handsets.get(key)?.element ?? $('side')
  target.scrollIntoView({ behavior: 'smooth', block: 'nearest', inline: 'center' })
}

/** Marks the phone on which the guide's next step is done. */
function showTurn(key) {
  for (const [name, handset] of handsets) handset.element.classList.toggle('turn', name === key)
  for (const button of $('tabs').children) button.classList.toggle('turn', button.dataset.tab === key)
}

function showUnread(key, count) {
  const badge = document.querySelector(`[data-tab="${key}"] .badge`)
  if (!badge) return
  badge.textContent = count
  badge.hidden = count === 0
}

const heard = {
  message: (message) => {
    ours(message)?.add(message)
    guide.hear(message)
  },
  status: (told) => ours(told)?.setStatus(told.id, told.status),
  typing: (told) => ours(told)?.setTyping(told.until),
  window: (told) => ours(told)?.setWindow(told.open),
  prompt: (prompt) => {
    prompts.set(prompt.id, prompt)
    handsets.get(prompt.phone)?.setPrompt(prompt, state.prompt_timeout)
    showMovements([...prompts.values()], [...payouts.values()])
  },
  payout: (payout) => {
    payouts.set(payout.id, payout)
    showMovements([...prompts.values()], [...payouts.values()])
  },
  sms: (text) => handsets.get(text.phone)?.addText(text),
  floats: showFloats,
  faults: showArmed,
  ledger: (books) => { showLedger(books); showDisputes() },
  log: addEvent,
  form: (told) => ours(told)?.setForm(told.id, told.over),
  webhook: addPost,
  answer: showAnswer,
  endpoint: showEndpoint,
  clock: () => load(),
  phones: () => load(),
  reset: () => { clearEvents(); load() },
}

function ours(told) {
  return told.shop === shop.id ? handsets.get(told.phone) : undefined
}

function follow() {
  stream = new EventSource(`/events?after=${encodeURIComponent(state.cursor)}`)
  for (const [kind, hear] of Object.entries(heard)) {
    stream.addEventListener(kind, (event) => hear(JSON.parse(event.data)))
  }
  stream.onopen = () => live('good', 'live')
  stream.onerror = () => {
    live('bad', 'reconnecting')
    if (stream.readyState === EventSource.CLOSED) setTimeout(start, 1500)
  }
}

function live(state_, words) {
  $('live').dataset.state = state_
  $('live').lastElementChild.textContent = words
}

async function start() {
  try {
    await load()
    follow()
  } catch {
    live('bad', 'not running')
    setTimeout(start, 1500)
  }
}

$('shop').addEventListener('change', async (event) => {
  shop = { id: event.target.value }
  await load()
})
document.addEventListener('click', (event) => { if (!event.target.closest('.topbar details, .strip details')) shut() })
document.addEventListener('keydown', (event) => {
  const open = event.key === 'Escape' && event.target.closest('.topbar details[open], .strip details[open]')
  if (open) { open.open = false; open.querySelector('summary').focus() }
})
document.addEventListener('visibilitychange', () => handsets.forEach((handset) => handset.look()))
setInterval(() => {
  showTime()
  for (const time of document.querySelectorAll('.statusbar time')) time.textContent = clock(now())
}, 10_000)
drawTools()
buildWebhooks()
start()
