// Webhooks: the sheet of the shop's own program: what the app posts to it, what it answers, and what is sent again.

import { act, clock, grouped, h, icon, keepInside } from './dom.js'

const $ = (id) => document.getElementById(id)
const ANSWERS = [['200', '200', 'takes it'], ['500', '500', 'fails: it is tried again'], ['410', '410', 'is gone: the app disables it'], ['slow', 'Slow', 'takes longer than the app waits']]
const BECAUSE = { gone: 'it answered 410', failing: 'it took nothing for three days', staff: 'somebody has disabled it' }
const MOST = 100

let opener
let came = 0

export function buildWebhooks() {
  $('hooks').addEventListener('click', () => openWebhooks($('hooks')))
  $('webhooks').addEventListener('keydown', (event) => {
    if (event.key === 'Escape') close()
    else if (matchMedia('(max-width: 759px)').matches) keepInside(event)
  })
  $('webhooks').querySelector('.iconic').append(icon('close'))
  $('webhooks').querySelector('.iconic').addEventListener('click', close)
  $('all-again').addEventListener('click', () => act('webhooks/again'))
  $('answers').append(...ANSWERS.map(([value, name, words]) => h('label', { title: words },
    h('input', { type: 'radio', name: 'answer', value, onchange: () => act('webhooks', { answer: value }) }), h('span', {}, name))))
}

/** Anew, with all that came; the button is there only where there is such a program. */
export async function loadWebhooks() {
  const told = await (await fetch('/control/webhooks')).json()
  $('hooks').hidden = told.endpoint === null
  if (told.endpoint === null) return
  came = 0
  $('posts').replaceChildren(h('li', { class: 'none' }, 'Nothing was posted yet. Pay something on a phone.'))
  told.posts.forEach(addPost)
  showAnswer(told)
  showEndpoint(told.endpoint)
}

export function openWebhooks(by) {
  opener = by
  $('webhooks').hidden = false
  $('hooks').setAttribute('aria-expanded', 'true')
  $('hooks').classList.remove('news')
  $('webhooks').querySelector('.iconic').focus()
}

function close() {
  $('webhooks').hidden = true
  $('hooks').setAttribute('aria-expanded', 'false')
  opener.focus()
}

export function showAnswer(told) {
  for (const input of $('answers').querySelectorAll('input')) input.checked = input.value === told.answer
  $('answers-mean').textContent = `It ${ANSWERS.find(([value]) => value === told.answer)[2]}.`
}

export function showEndpoint(told) {
  if (told.error) {
    $('endpoint').replaceChildren(h('p', { class: 'wrong' }, `The app's endpoints cannot be read: ${told.error}`))
    return
  }
  const words = told.state === 'disabled' ? `disabled: ${BECAUSE[told.because] ?? told.because}` : told.state === 'missing' ? 'not registered' : 'enabled'
  $('endpoint').replaceChildren(
    h('code', {}, told.url), h('span', { class: 'light', 'data-state': told.state === 'enabled' ? 'good' : 'bad', role: 'status' }, words),
    told.state === 'enabled' ? '' : h('button', { type: 'button', class: 'plain small', onclick: () => act('webhooks/enable') }, told.state === 'disabled' ? 'Enable again' : 'Register'))
  const enabled = told.state === 'enabled'
  show('waiting', told.waiting, (one) => [`${one.because ?? 'being sent'}, next at ${clock(one.at, true)}`, enabled ? again('Send now', one) : null])
  show('given-up', told.given_up, (one) => [`${one.because}, at ${clock(one.at, true)}`, enabled ? again('Send again', one) : null])
  $('all-again').hidden = !enabled || told.given_up.length < 2
}

function show(id, events, words) {
  $(id).hidden = events.length === 0
  $(id).querySelector('ol').replaceChildren(...events.map((one) => {
    const [said, button] = words(one)
    return h('li', {}, h('span', {}, h('b', {}, one.type), h('small', {}, `${about(one)}: ${said}`)), button)
  }))
}

const again = (words, one) => h('button', { type: 'button', class: 'plain small', onclick: () => act('webhooks/again', { webhook_id: one.webhook_id }) }, words)

/** The end of an id tells it apart; all of it is in the body. */
const about = (one) => `${one.type.split('.')[0]} …${one.object.slice(-6)}`

export function addPost(post) {
  if (came === 0) $('posts').replaceChildren()
  came += 1
  $('posts').prepend(drawn(post))
  while ($('posts').childElementCount > MOST) $('posts').lastElementChild.remove()
  if ($('webhooks').hidden) $('hooks').classList.add('news')
}

function drawn(post) {
  const right = post.wrong === null
  const body = readable(post.body)
  return h('li', {}, h('details', {},
    h('summary', {},
      h('b', {}, post.type), h('time', {}, clock(post.at, true)),
      h('small', {}, [post.object ? about(post) : null, amount(post.body), right ? `try ${post.try}` : null].filter(Boolean).join(' · ')),
      h('span', { class: 'marks' },
        h('span', { class: `mark ${right ? 'good' : 'bad'}` }, right ? 'signature right' : 'signature wrong'),
        h('span', { class: `mark ${post.status === 200 && !post.after ? 'good' : 'bad'}` }, `answered ${post.status}${post.after ? ` after ${post.after} s` : ''}`),
        post.taken_before ? h('span', { class: 'mark' }, 'taken before') : null)),
    right ? null : h('p', { class: 'wrong' }, `Not believed: ${post.wrong}.`),
    h('h4', {}, 'Headers'), h('dl', {}, post.headers.flatMap(([name, value]) => [h('dt', {}, name), h('dd', {}, value)])),
    h('h4', {}, 'Body'), h('pre', { tabindex: '0' }, body),
    right ? again('Send again', post) : null))
}

function readable(body) {
  try {
    return JSON.stringify(JSON.parse(body), null, 2)
  } catch {
    return body
  }
}

function amount(body) {
  try {
    const { data } = JSON.parse(body)
    return data.amount ? `${data.currency} ${grouped(data.amount)}` : null
  } catch {
    return null
  }
}
