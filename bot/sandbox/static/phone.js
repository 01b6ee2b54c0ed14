// A handset: one person's phone with its chat, and what lies over it: list, number, M-Pesa, texts.

import { bubble, retick } from './bubble.js'
import { act, clock, day, h, icon, keepInside, now, spaced } from './dom.js'
import { promptDialog, shareSheet, cardSheet, codeSheet, formSheet, listSheet, paySheet, textsSheet } from './sheets.js'

const ORDER = ['sending', 'sent', 'delivered', 'read']
const TEXT_SECONDS = 6

export class Handset {
  constructor(person, shop, onUnread, languages) {
    this.languages = languages
    this.person = person
    this.shop = shop
    this.onUnread = onUnread
    this.messages = new Map()
    this.bubbles = new Map()
    this.prompts = new Map()
    this.texts = []
    this.unread = 0
    this.windowOpen = false
    this.build()
  }

  // --- what is drawn once ---

  build() {
    const { name, role, line, number, username } = this.person
    this.badge = h('span', { class: 'badge', hidden: true })
    this.subtitle = h('span', { class: 'subtitle' }, 'Business account')
    this.log = h('div', { class: 'chat', role: 'log', 'aria-label': `Chat of ${name}`, tabindex: '0' })
    this.banner = h('div', { class: 'banner', hidden: true }, icon('lock'), h('span', {}, '24-hour window closed: only templates arrive'))
    this.hints = h('div', { class: 'hints' })
    this.input = h('input', { class: 'words', type: 'text', placeholder: 'Message', autocomplete: 'off', maxlength: '4096', 'aria-label': `Message from ${name}`, enterkeyhint: 'send' })
    this.over = h('div', { class: 'over' })
    this.toasts = h('div', { class: 'toasts', role: 'status' })
    this.menuButton = h('button', { type: 'button', class: 'iconic', 'aria-label': `More for ${name}`, 'aria-haspopup': 'menu', 'aria-expanded': 'false', onclick: () => this.toggleMenu() }, icon('more'))
    this.picker = h('input', { type: 'file', hidden: true, 'aria-label': `File from ${name}`, accept: '.csv,.txt,text/*' })
    this.picker.addEventListener('change', () => this.sendFile())
    const composer = h('form', { class: 'composer', onsubmit: (event) => this.write(event) }, this.input,
      h('button', { type: 'submit', class: 'send', 'aria-label': 'Send' }, icon('send')))
    const seen = number ? spaced(number) : username ? `@${username}, number hidden` : spaced(line ?? '')
    this.screen = h('div', { class: 'screen' },
      h('div', { class: 'statusbar', 'aria-hidden': 'true' }, h('time', {}, clock(now())), h('span', {}, 'Safaricom'), h('i', { class: 'battery' })),
      h('div', { class: 'appbar' }, h('span', { class: 'avatar', 'aria-hidden': 'true' }, initials(this.shop.name)),
        h('div', { class: 'title' }, h('b', {}, h('span', { title: this.shop.name }, this.shop.name), icon('verified')), this.subtitle), this.menuButton),
      this.log, this.banner, this.hints, composer, this.over, this.toasts, this.picker)
    this.element = h('article', { class: 'handset', id: `phone-${this.person.key}`, 'data-phone': this.person.key, 'aria-label': `${name}'s phone, ${role}` },
      h('header', { class: 'who' }, h('h2', {}, name), h('span', { class: 'role' }, role), this.badge,
        h('div', { class: 'under' }, h('span', { class: 'line', title: seen }, seen), this.tools())),
      this.screen)
    for (const event of ['pointerenter', 'focusin', 'click']) this.element.addEventListener(event, () => this.look())
    this.element.addEventListener('keydown', (event) => { if (event.key === 'Escape') this.closeSheet() })
    this.log.addEventListener('scroll', () => this.look(), { passive: true })
    new ResizeObserver(() => this.bottom()).observe(this.log)
    this.clear()
  }

  /** What a person does not do in a chat, but somebody at this page may want of the phone. */
  tools() {
    // It says a word to the shop and then shows none: which language is spoken only the shop knows.
    const language = h('select', { class: 'speak', 'aria-label': `Language of ${this.person.name}`, title: 'Tell the shop which language to speak' },
      h('option', { value: '', disabled: true, selected: true, hidden: true }, 'Aa'),
      Object.entries(this.languages).map(([code, name]) => h('option', { value: code }, name)))
    language.addEventListener('change', () => {
      this.post('text', { text: `language ${this.languages[language.value]}` })
      language.value = ''
    })
    this.windowSwitch = h('button', { type: 'button', class: 'switch', role: 'switch', 'aria-label': `24-hour window of ${this.person.name}`, 'aria-checked': 'false', onclick: () => this.post('window', { open: !this.windowOpen }) }, h('i'), '24 h')
    return h('span', { class: 'tools' }, language, this.windowSwitch)
  }

  clear() {
    this.day = null
    this.messages.clear()
    this.bubbles.clear()
    this.unread = 0
    this.log.replaceChildren(
      h('div', { class: 'pill lock' }, icon('lock'), 'Messages stay on this machine. Nothing is sent to WhatsApp.'))
    this.hints.replaceChildren(...(this.person.hints ?? []).map((words) =>
      h('button', { type: 'button', class: 'hint', onclick: () => this.post('text', { text: words }) }, words)))
    this.hints.hidden = !this.person.hints?.length
    this.closeSheet()
    this.toasts.replaceChildren()
    this.say()
  }

  // --- what comes from the sandbox ---

  load(chat) {
    this.clear()
    for (const message of chat.messages) this.add(message, { old: true })
    this.setWindow(chat.window_open)
    this.setTyping(chat.typing_until)
    this.unread = chat.messages.filter((message) => !message.mine && message.kind !== 'note' && message.status !== 'read').length
    this.say()
    this.bottom()
  }

  add(message, { old = false } = {}) {
    if (this.messages.has(message.id)) return
    this.messages.set(message.id, message)
    const near = this.nearBottom()
    const drawn = bubble(message, this)
    if (day(message.at) !== this.day) {
      this.day = day(message.at)
      this.log.append(h('div', { class: 'pill day' }, this.day))
    }
    const last = this.log.lastElementChild
    if (last?.classList.contains('bubble') && last.classList.contains(message.mine ? 'mine' : 'theirs')) drawn.classList.add('run')
    this.bubbles.set(message.id, drawn)
    this.hints.hidden = true
    if (message.mine) {
      this.windowOpen = true
      this.setWindow(true)
    } else if (message.kind !== 'note') {
      this.setTyping(0)
      if (!old) this.count()
    }
    this.log.append(drawn)
    if (near || message.mine) this.bottom()
    if (!old) this.look()
  }

  setStatus(id, status) {
    const message = this.messages.get(id)
    if (!message || ORDER.indexOf(status) <= ORDER.indexOf(message.status)) return
    message.status = status
    retick(this.bubbles.get(id), message)
    if (!message.mine && status === 'delivered') this.look()
  }

  setTyping(until) {
    clearTimeout(this.typingTimer)
    this.typingBubble?.remove()
    const left = until - now()
    const typing = left > 0
    this.subtitle.textContent = typing ? 'typing…' : 'Business account'
    this.subtitle.classList.toggle('typing', typing)
    if (!typing) return
    this.typingBubble = h('div', { class: 'bubble theirs dots', 'aria-label': 'typing' }, h('i'), h('i'), h('i'))
    const near = this.nearBottom()
    this.log.append(this.typingBubble)
    if (near) this.bottom()
    this.typingTimer = setTimeout(() => this.setTyping(0), left)
  }

  setWindow(open) {
    this.windowOpen = open
    this.windowSwitch.setAttribute('aria-checked', String(open))
    this.windowSwitch.title = open ? 'The shop may write freely. Close the 24-hour window' : 'Only templates arrive. Open the 24-hour window'
    this.banner.hidden = open || this.messages.size === 0
  }

  setPrompt(prompt, seconds) {
    this.prompts.set(prompt.id, prompt)
    const shown = this.over.querySelector(`[data-prompt="${CSS.escape(prompt.id)}"]`)
    if (prompt.state !== 'asking') {
      shown?.remove()
      return
    }
    if (shown) return
    const dialog = promptDialog(prompt, this.person.name, seconds)
    this.over.append(dialog)
    const busy = document.activeElement
    if (!busy || busy === document.body || this.element.contains(busy)) dialog.querySelector('input').focus({ preventScroll: true })
  }

  addText(text, { old = false } = {}) {
    this.texts.push(text)
    if (old) return
    const close = () => toast.remove()
    const toast = h('div', { class: 'toast' },
      h('div', {}, h('b', {}, h('span', { class: 'mpesa', 'aria-hidden': 'true' }, 'M'), 'M-PESA', h('small', {}, 'now')), h('p', {}, text.text)),
      h('button', { type: 'button', class: 'iconic', 'aria-label': 'Dismiss', onclick: close }, icon('close')))
    this.toasts.replaceChildren(toast) // one at a time, as on a phone; the menu keeps them all
    let timer = setTimeout(close, TEXT_SECONDS * 1000)
    toast.addEventListener('pointerenter', () => clearTimeout(timer))
    toast.addEventListener('pointerleave', () => { timer = setTimeout(close, 3000) })
  }

  // --- what the person does ---

  post(what, body) {
    return act(`phones/${this.person.key}/${what}`, { shop: this.shop.id, ...body })
  }

  async write(event) {
    event.preventDefault()
    const text = this.input.value
    if (!text.trim()) return
    this.input.value = ''
    if ((await this.post('text', { text })) === null) this.input.value = text
  }

  tap(message, choice) {
    this.closeSheet()
    return this.post('tap', { choice, message: message.id })
  }

  open(message, opener) {
    this.showSheet(listSheet(message, (choice) => this.tap(message, choice), () => this.closeSheet()), opener)
  }

  ask(message, opener) {
    const share = (number) => { this.closeSheet(); return this.post('share', { number, message: message.id }) }
    this.showSheet(shareSheet(this.shop.name, this.person.line ?? '+2547', share, () => this.closeSheet()), opener)
  }

  async fill(message, opener) {
    this.showForm(message, await this.post('form', { message: message.id }), opener)
  }

  /** `told` is the form, or nothing where it is over: the button says so. */
  showForm(message, told, opener, values = {}) {
    this.closeSheet()
    if (!told?.form) return
    const fields = told.form.fields.map((field) => ({ ...field, value: values[field.name] }))
    const send = async (data) => this.showForm(message, await this.post('form', { message: message.id, data }) ?? told, opener, data)
    this.showSheet(formSheet(message.form.title, { ...told.form, fields }, send, () => this.closeSheet()), opener)
  }

  setForm(id, over) {
    const message = this.messages.get(id)
    if (!message) return
    message.form.over = over
    const drawn = bubble(message, this)
    drawn.className = this.bubbles.get(id).className
    this.bubbles.get(id).replaceWith(drawn)
    this.bubbles.set(id, drawn)
  }

  // A message counts as read when its person has the phone in hand and the chat at its end.
  look() {
    if (this.unread === 0 || document.visibilityState !== 'visible' || !this.nearBottom()) return
    const alone = matchMedia('(max-width: 759px)').matches && this.element.classList.contains('shown')
    if (!alone && !this.element.matches(':hover, :focus-within')) return
    this.unread = 0
    this.say()
    this.post('read', {})
  }

  count() {
    this.unread += 1
    this.say()
  }

  say() {
    this.badge.textContent = this.unread
    this.badge.hidden = this.unread === 0
    this.badge.setAttribute('aria-label', `${this.unread} unread`)
    this.element.classList.toggle('waiting', this.unread > 0)
    this.onUnread(this.person.key, this.unread)
  }

  // --- sheets and menu ---

  showSheet(sheet, opener) {
    this.closeSheet()
    this.opener = opener
    const scrim = h('div', { class: 'scrim', onclick: (event) => { if (event.target === scrim) this.closeSheet() } }, sheet)
    this.over.append(scrim)
    sheet.addEventListener('keydown', keepInside)
    ;(sheet.querySelector('[data-focus]') ?? sheet.querySelector('button, input, select'))?.focus({ preventScroll: true })
  }

  closeSheet() {
    const open = this.over.querySelector('.scrim')
    this.menuButton.setAttribute('aria-expanded', 'false')
    if (!open) return
    open.remove()
    this.opener?.focus({ preventScroll: true })
    this.opener = null
  }

  async sendFile() {
    const file = this.picker.files[0]
    this.picker.value = ''
    if (file) await this.post('file', { name: file.name, content: await file.text() })
  }

  async showCode() {
    const ask = () => this.post('code', {})
    const told = await ask()
    if (told) this.showSheet(codeSheet(this.shop.name, told, ask, () => this.closeSheet()), this.menuButton)
  }

  toggleMenu() {
    if (this.over.querySelector('.menu')) {
      this.closeSheet()
      return
    }
    const item = (words, run) => h('button', { type: 'button', role: 'menuitem', onclick: () => { this.closeSheet(); run() } }, words)
    const menu = h('div', { class: 'menu', role: 'menu', 'aria-label': `More for ${this.person.name}` },
      item('Texts from M-PESA', () => this.showSheet(textsSheet(this.texts, () => this.closeSheet()), this.menuButton)),
      this.person.line ? item('Pay by hand', () => this.showSheet(paySheet(this.shop.name, (amount, account) => { this.closeSheet(); act('counter', { number: this.person.line, amount, account }) }, () => this.closeSheet()), this.menuButton)) : null,
      item('Send a contact card', () => this.showSheet(cardSheet((body) => { this.closeSheet(); this.post('card', body) }, () => this.closeSheet()), this.menuButton)),
      item('Send a file', () => this.picker.click()),
      this.person.role === 'customer' ? null : item('One-time code', () => this.showCode()),
      item('Webhook again (duplicate)', () => this.post('repeat', {})))
    menu.addEventListener('keydown', walk)
    this.showSheet(menu, this.menuButton)
    this.over.querySelector('.scrim').classList.add('clear')
    this.menuButton.setAttribute('aria-expanded', 'true')
  }

  nearBottom() {
    return this.log.scrollHeight - this.log.scrollTop - this.log.clientHeight < 80
  }

  bottom() {
    this.log.scrollTop = this.log.scrollHeight
  }
}

function initials(name) {
  return name.split(/\s+/).slice(0, 2).map((word) => word[0]).join('').toUpperCase()
}

/** Up and down in a menu, as those who use no mouse expect. */
function walk(event) {
  const by = { ArrowDown: 1, ArrowUp: -1 }[event.key]
  if (!by) return
  event.preventDefault()
  const items = [...event.currentTarget.children]
  items[(items.indexOf(document.activeElement) + by + items.length) % items.length].focus()
}
