// Sheets: what rises over a chat: the rows of a list, the number to share, M-Pesa's question, its texts.

import { act, clock, grouped, h, icon, now } from './dom.js'

function sheet(title, close, ...content) {
  return h('div', { class: 'sheet', role: 'dialog', 'aria-modal': 'true', 'aria-label': title },
    h('header', {}, h('button', { type: 'button', class: 'iconic', 'aria-label': 'Close', onclick: close }, icon('close')), h('h3', {}, title)),
    ...content)
}

export function listSheet(message, pick, close) {
  const sections = message.sections.map((section) => h('section', {},
    section.title ? h('h4', {}, section.title) : null,
    ...section.rows.map((row) => h('button', { type: 'button', class: 'row', onclick: () => pick(row.id) },
      h('span', {}, h('b', {}, row.title), row.description ? h('small', {}, row.description) : null), h('i', { class: 'radio' })))))
  return sheet(message.menu, close, h('div', { class: 'rows' }, sections))
}

export function shareSheet(shop, number, share, close) {
  const field = h('input', { type: 'tel', value: number, 'aria-label': 'Phone number to share', 'data-focus': true, autocomplete: 'off' })
  return sheet('Share phone number', close, h('form', { class: 'fill', onsubmit: (event) => { event.preventDefault(); share(field.value) } },
    h('p', {}, `${shop} asks for your phone number. With it, M-Pesa can reach you.`), field,
    h('button', { type: 'submit', class: 'main' }, 'Share')))
}

/** A form as the shop's endpoint wants it shown; `send` gives it anew where something is wrong. */
export function formSheet(title, form, send, close) {
  const field = (one, at) => {
    const about = { name: one.name, 'aria-label': one.label, 'aria-invalid': one.wrong ? 'true' : null, 'data-focus': at === 0 }
    const entry = one.options
      ? h('select', about, h('option', { value: '' }, '—'), one.options.map((option) => h('option', { value: option.id }, option.title)))
      : h('input', { ...about, type: 'text', maxlength: one.most, autocomplete: 'off' })
    if (one.value) entry.value = one.value
    return h('label', {}, h('span', {}, one.label), entry, one.wrong ? h('small', { class: 'wrong' }, one.wrong) : null)
  }
  const submit = (event) => {
    event.preventDefault()
    send(Object.fromEntries(new FormData(event.target)))
  }
  return sheet(title, close, h('form', { class: 'fill form', onsubmit: submit },
    h('h4', {}, form.heading), form.fields.map(field), h('button', { type: 'submit', class: 'main' }, form.done)))
}

export function cardSheet(send, close) {
  const name = h('input', { type: 'text', value: 'My sister', 'aria-label': 'Name', 'data-focus': true, autocomplete: 'off' })
  const number = h('input', { type: 'tel', value: '+254711222333', 'aria-label': 'Phone number', autocomplete: 'off' })
  return sheet('Send a contact card', close, h('form', { class: 'fill', onsubmit: (event) => { event.preventDefault(); send({ name: name.value, number: number.value }) } },
    name, number, h('button', { type: 'submit', class: 'main' }, 'Send')))
}

/** Lipa na M-PESA without being asked: `pay` gives the amount and what is typed as the account. */
export function paySheet(shop, pay, close) {
  const amount = h('input', { type: 'number', min: '1', max: '250000', name: 'amount', placeholder: 'Amount', 'aria-label': 'Amount', 'data-focus': true, required: true })
  const account = h('input', { type: 'text', name: 'account', maxlength: '20', placeholder: 'Account no.', 'aria-label': 'Account number', autocomplete: 'off' })
  return sheet('Pay by hand', close, h('form', { class: 'fill', onsubmit: (event) => { event.preventDefault(); pay(Number(amount.value), account.value) } },
    h('p', {}, `To the paybill of ${shop}. An order's number as the account pays that order.`), amount, account,
    h('button', { type: 'submit', class: 'main' }, 'Pay')))
}

/** One-time codes, as an authenticator app shows them: `told` is {code, seconds}, and each next one is asked for. */
export function codeSheet(shop, told, next, close) {
  const digits = h('output', { class: 'code', 'aria-label': 'One-time code' })
  const left = h('i', { class: 'countdown', 'aria-hidden': 'true' })
  const show = async ({ code, seconds }) => {
    digits.textContent = `${code.slice(0, 3)} ${code.slice(3)}`
    left.style.setProperty('--seconds', `${seconds}s`)
    left.replaceWith(left) // its animation begins anew
    await new Promise((done) => setTimeout(done, seconds * 1000))
    const after = digits.isConnected && await next()
    if (after) show(after)
  }
  show(told)
  return sheet('Authenticator', close, h('p', { class: 'shop' }, shop), digits, left, h('p', { class: 'none' }, 'Each code is good once.'))
}

export function textsSheet(texts, close) {
  const list = texts.toReversed().map((text) => h('li', {}, h('p', {}, text.text), h('time', {}, clock(text.at))))
  return sheet('Texts from M-PESA', close, list.length ? h('ol', { class: 'texts' }, list) : h('p', { class: 'none' }, 'None yet.'))
}

/** M-Pesa's question, as the SIM toolkit asks it. Any PIN of four digits is right. */
export function promptDialog(prompt, name, seconds) {
  const answer = (outcome) => act(`prompts/${encodeURIComponent(prompt.id)}`, { outcome })
  const pin = h('input', { class: 'pin', type: 'text', inputmode: 'numeric', maxlength: '4', autocomplete: 'off', 'aria-label': 'M-PESA PIN', placeholder: '••••' })
  const ok = h('button', { type: 'submit', class: 'ok', disabled: true }, 'OK')
  pin.addEventListener('input', () => {
    pin.value = pin.value.replace(/\D/g, '')
    ok.disabled = pin.value.length < 4
  })
  const other = (words, outcome, title) => h('button', { type: 'button', class: 'other', title, onclick: () => answer(outcome) }, words)
  const bar = h('i', { class: 'countdown', 'aria-hidden': 'true' })
  bar.style.setProperty('--seconds', `${Math.max(0, seconds - (now() - prompt.at) / 1000)}s`)
  const dialog = h('form', { class: 'prompt', role: 'dialog', 'aria-label': `M-PESA asks ${name}`, 'data-prompt': prompt.id, onsubmit: (event) => { event.preventDefault(); answer('pay') } },
    h('div', { class: 'toolkit' },
      h('header', {}, h('span', { class: 'mpesa', 'aria-hidden': 'true' }, 'M'), 'M-PESA'), bar,
      h('p', {}, 'Do you want to pay ', h('b', {}, `Ksh ${grouped(prompt.amount)}.00`), ' to ', h('b', {}, prompt.merchant), ' account no. ', h('b', {}, prompt.reference), '?'),
      h('label', {}, 'Enter M-PESA PIN', pin, h('small', {}, 'Any four digits will do here.')),
      h('div', { class: 'buttons' }, h('button', { type: 'button', class: 'cancel', onclick: () => answer('cancel') }, 'Cancel'), ok),
      h('div', { class: 'others' }, h('span', {}, 'Or let it end with'),
        other('Wrong PIN', 'wrong_pin', 'Result 2001'), other('No funds', 'no_funds', 'Result 1'), other('Ignore', 'ignore', 'Result 1037 after a while'))))
  return dialog
}

