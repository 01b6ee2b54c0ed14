// Elements, icons and WhatsApp's own text marks, made without innerHTML.

const SVG = 'http://www.w3.org/2000/svg'

const ICONS = {
  send: 'M2.4 3.2 21.8 12 2.4 20.8l2.3-7L14 12 4.7 10.2z',
  reply: 'M10 8V4L3 11l7 7v-4.1c5 0 8.5 1.6 11 5.1-1-5-4-10-11-11z',
  list: 'M4 6.5h2v2H4zm0 5h2v2H4zm0 5h2v2H4zM8 6.5h12v2H8zm0 5h12v2H8zm0 5h12v2H8z',
  link: 'M14 4h6v6h-2V7.4l-8.3 8.3-1.4-1.4L16.6 6H14zM5 6h6v2H6.5v9.5H16V13h2v6.5H4.5V6z',
  more: 'M12 4.5a2 2 0 110 4 2 2 0 010-4zm0 5.5a2 2 0 110 4 2 2 0 010-4zm0 5.5a2 2 0 110 4 2 2 0 010-4z',
  card: 'M12 12a4 4 0 100-8 4 4 0 000 8zm0 2c-3.5 0-8 1.7-8 5v1h16v-1c0-3.3-4.5-5-8-5z',
  file: 'M6 2h8l5 5v15H6zm7 1.5V8h4.5z',
  lock: 'M12 2a4.5 4.5 0 00-4.5 4.5V9H6v12h12V9h-1.5V6.5A4.5 4.5 0 0012 2zm-2.5 7V6.5a2.5 2.5 0 015 0V9z',
  close: 'M6.4 5 12 10.6 17.6 5 19 6.4 13.4 12l5.6 5.6-1.4 1.4L12 13.4 6.4 19 5 17.6 10.6 12 5 6.4z',
  into: 'M11 4h2v11l4.5-4.5 1.4 1.4L12 18.8l-6.9-6.9 1.4-1.4L11 15z',
  out: 'M13 20h-2V9l-4.5 4.5-1.4-1.4L12 5.2l6.9 6.9-1.4 1.4L13 9z',
  plus: 'M11 5h2v6h6v2h-6v6h-2v-6H5v-2h6z',
  time: 'M12 3a9 9 0 110 18 9 9 0 010-18zm0 2a7 7 0 100 14 7 7 0 000-14zm-1 2h2v4.6l3 3-1.4 1.4-3.6-3.6z',
  form: 'M5 3h14v18H5zm2 2v14h10V5zm2 2h6v2H9zm0 4h6v2H9zm0 4h4v2H9z',
  verified: 'M12 1.5l2.6 2 3.3-.2 1 3.1 2.8 1.7-1 3.2 1 3.1-2.8 1.7-1 3.1-3.3-.1-2.6 2-2.6-2-3.3.1-1-3.1-2.8-1.7 1-3.1-1-3.2 2.8-1.7 1-3.1 3.3.2zm-1.2 14.1 6-6-1.3-1.3-4.7 4.7-2.2-2.2-1.3 1.3z',
}

export function h(tag, props = {}, ...children) {
  const element = document.createElement(tag)
  for (const [name, value] of Object.entries(props)) {
    if (value === undefined || value === null || value === false) continue
    if (name.startsWith('on')) element.addEventListener(name.slice(2), value)
    else if (name === 'class') element.className = value
    else element.setAttribute(name, value === true ? '' : value)
  }
  element.append(...children.flat().filter((child) => child !== null && child !== undefined))
  return element
}

/** On keydown: Tab goes round inside of what covers the rest. */
export function keepInside(event) {
  if (event.key !== 'Tab') return
  const stops = [...event.currentTarget.querySelectorAll('button, input, select, a[href], summary, [tabindex="0"]')]
    .filter((stop) => !stop.disabled && !(stop.type === 'radio' && !stop.checked) && stop.checkVisibility())
  const edge = event.shiftKey ? stops[0] : stops.at(-1)
  if (document.activeElement !== edge) return
  event.preventDefault()
  ;(event.shiftKey ? stops.at(-1) : stops[0]).focus()
}

export function icon(name) {
  const svg = document.createElementNS(SVG, 'svg')
  svg.setAttribute('viewBox', '0 0 24 24')
  svg.setAttribute('aria-hidden', 'true')
  svg.classList.add('icon')
  const path = document.createElementNS(SVG, 'path')
  path.setAttribute('d', ICONS[name])
  svg.append(path)
  return svg
}

/** One tick or two, as WhatsApp draws them; the colour comes from the class. */
export function ticks(status) {
  const words = { sending: 'waiting', sent: 'sent', delivered: 'delivered', read: 'read' }
  const svg = document.createElementNS(SVG, 'svg')
  svg.setAttribute('viewBox', '0 0 18 12')
  svg.setAttribute('role', 'img')
  svg.setAttribute('aria-label', words[status] ?? status)
  svg.setAttribute('class', `ticks ${status}`)
  const marks = status === 'sent' || status === 'sending' ? ['M4 6.5 7.5 10 15 2'] : ['M1 6.5 4.5 10 12 2', 'M7.6 9 8.6 10 16.5 2']
  for (const d of marks) {
    const path = document.createElementNS(SVG, 'path')
    path.setAttribute('d', d)
    svg.append(path)
  }
  return svg
}

// Drawn, because many a machine has no font for them.
const SIGNS = {
  '✅': [['#21b05c', 'M4.5 2h15A2.5 2.5 0 0 1 22 4.5v15a2.5 2.5 0 0 1-2.5 2.5h-15A2.5 2.5 0 0 1 2 19.5v-15A2.5 2.5 0 0 1 4.5 2z'], ['#fff', 'M10.2 18 4.9 12.7l2.1-2.1 3.2 3.2 6.8-6.8 2.1 2.1z']],
  '⚠️': [['#f5b400', 'M10.3 3.2a2 2 0 0 1 3.4 0l8.6 15.6a2 2 0 0 1-1.7 3H3.4a2 2 0 0 1-1.7-3z'], ['#2b2b2b', 'M10.8 8.5h2.4l-.4 7h-1.6zM10.8 17h2.4v2.3h-2.4z']],
}

function sign(mark) {
  const svg = document.createElementNS(SVG, 'svg')
  for (const [name, value] of [['viewBox', '0 0 24 24'], ['role', 'img'], ['aria-label', mark], ['class', 'sign']]) svg.setAttribute(name, value)
  for (const [fill, d] of SIGNS[mark]) {
    const path = document.createElementNS(SVG, 'path')
    path.setAttribute('fill', fill)
    path.setAttribute('d', d)
    svg.append(path)
  }
  return svg
}

const MARKS = /```([\s\S]+?)```|(?<![\w*])\*(?=\S)([^*\n]*[^*\s])\*(?![\w*])|(?<![\w_])_(?=\S)([^_\n]*[^_\s])_(?![\w_])|(?<![\w~])~(?=\S)([^~\n]*[^~\s])~(?![\w~])|(https?:\/\/[^\s<>"]*[^\s<>".,;:!?)*_~])|(✅|⚠️)/g

/** *bold*, _italic_, ~struck~, ```mono```, links and the signs that the app uses, as nodes. */
export function rich(text) {
  const nodes = []
  let done = 0
  for (const found of text.matchAll(MARKS)) {
    nodes.push(text.slice(done, found.index))
    const [whole, mono, bold, italic, struck, url, mark] = found
    if (mono !== undefined) nodes.push(h('code', {}, mono))
    else if (mark !== undefined) nodes.push(sign(mark))
    else if (bold !== undefined) nodes.push(h('strong', {}, rich(bold)))
    else if (italic !== undefined) nodes.push(h('em', {}, rich(italic)))
    else if (struck !== undefined) nodes.push(h('s', {}, rich(struck)))
    else nodes.push(h('a', { href: url, target: '_blank', rel: 'noopener noreferrer' }, url))
    done = found.index + whole.length
  }
  nodes.push(text.slice(done))
  return nodes.filter((node) => node !== '')
}

let ahead = 0

/** The sandbox's time may have been moved on: `ms` is what it is now. */
export function setNow(ms) {
  ahead = ms - Date.now()
}

export function now() {
  return Date.now() + ahead
}

/** "Today", or the day in Kenya. */
export function day(ms) {
  const named = (at) => new Date(at).toLocaleDateString('en-GB', { weekday: 'long', day: 'numeric', month: 'long', timeZone: 'Africa/Nairobi' })
  return named(ms) === named(now()) ? 'Today' : named(ms)
}

/** The time on these phones: they are in Kenya. */
export function clock(ms, seconds = false) {
  return new Date(ms).toLocaleTimeString('en-GB', { hour: '2-digit', minute: '2-digit', second: seconds ? '2-digit' : undefined, timeZone: 'Africa/Nairobi' })
}

/** "+254712345678" as people write it. */
export function spaced(number) {
  return number.replace(/^(\+254)(\d{3})(\d{3})(\d+)$/, '$1 $2 $3 $4')
}

export function grouped(amount) {
  const [whole, cents] = String(amount).split('.')
  const digits = whole.replace(/\B(?=(\d{3})+$)/g, ',')
  return cents === undefined ? digits : `${digits}.${cents}`
}

/** Calls the control API; a refusal is shown on the page and gives null. */
export async function act(path, body = {}, method = 'POST') {
  const options = { method, headers: { 'Content-Type': 'application/json' } }
  if (method === 'POST') options.body = JSON.stringify(body)
  try {
    const answer = await fetch(`/control/${path}`, options)
    const told = await answer.json()
    if (answer.ok) return told
    complain(told.error ?? `The sandbox answered ${answer.status}.`)
  } catch {
    complain('The sandbox does not answer. Is it still running?')
  }
  return null
}

let silence
export function complain(sentence) {
  const box = document.getElementById('trouble')
  box.textContent = sentence
  box.hidden = false
  clearTimeout(silence)
  silence = setTimeout(() => { box.hidden = true }, 6000)
}
