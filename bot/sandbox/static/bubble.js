// A bubble: one message as WhatsApp shows it.

import { clock, h, icon, rich, spaced, ticks } from './dom.js'

/** `hands` has what a tap does: tap(message, choice), open(message) for lists, ask(message) for the number. */
export function bubble(message, hands) {
  if (message.kind === 'note') return note(message)
  const side = message.mine ? 'mine' : 'theirs'
  return h('div', { class: `bubble ${side}`, 'data-id': message.id, 'data-kind': message.kind },
    h('div', { class: 'body' }, ...body(message, hands.shop.name)),
    ...choices(message, hands))
}

export function retick(element, message) {
  element.querySelector('.ticks')?.replaceWith(ticks(message.status))
}

function body(message, shop) {
  const text = message.card || !message.text ? null : h('p', { class: 'text' }, rich(message.text), h('span', { class: message.mine ? 'room wide' : 'room' }))
  return [
    message.quote ? h('blockquote', { class: message.quote.mine ? 'own' : '' }, h('b', {}, message.quote.mine ? 'You' : shop), h('span', {}, rich(message.quote.text))) : null,
    message.media ? media(message.media) : null,
    message.header ? h('p', { class: 'header' }, rich(message.header)) : null,
    message.card ? card(message.card) : null,
    text,
    message.footer ? h('p', { class: 'footer' }, message.footer) : null,
    h('span', { class: 'meta' }, clock(message.at), message.mine ? ticks(message.status) : null),
  ]
}

function choices(message, hands) {
  const rows = []
  for (const button of message.buttons ?? []) {
    rows.push(choice(button.title, 'reply', () => hands.tap(message, button.id)))
  }
  if (message.sections) rows.push(choice(message.menu, 'list', (event) => hands.open(message, event.currentTarget)))
  if (message.link) {
    rows.push(h('a', { class: 'choice', href: message.link.url, target: '_blank', rel: 'noopener noreferrer' },
      icon('link'), message.link.title))
  }
  if (message.form) {
    const { title, over } = message.form
    rows.push(h('button', { type: 'button', class: 'choice', disabled: Boolean(over), onclick: (event) => hands.fill(message, event.currentTarget) }, icon('form'), over ?? title))
  }
  if (message.kind === 'request_contact_info') {
    rows.push(choice('Share phone number', 'card', (event) => hands.ask(message, event.currentTarget)))
  }
  return rows
}

function choice(title, sign, onclick) {
  return h('button', { type: 'button', class: 'choice', onclick }, icon(sign), title)
}

function media(file) {
  if (file.kind === 'image') return h('img', { class: 'picture', src: file.url, alt: 'Picture from the shop' })
  return h('a', { class: 'file', href: file.url, target: '_blank', rel: 'noopener noreferrer' },
    icon('file'), h('span', {}, file.name || 'Document'))
}

function card(contact) {
  return h('div', { class: 'contact' }, h('span', { class: 'face' }, icon('card')),
    h('span', {}, h('b', {}, contact.name), h('small', {}, spaced(contact.number))))
}

function note(message) {
  return h('div', { class: 'note', 'data-id': message.id, 'data-kind': 'note' }, h('b', {}, 'Graph API refused this message '), message.text)
}
