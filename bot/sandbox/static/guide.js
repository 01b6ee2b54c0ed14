// The guide: what a newcomer does first, one step at a time. It ticks a step off when its words are heard.

import { h, icon, rich } from './dom.js'

const HIDDEN = 'lipachat-guide-hidden'

export class Guide {
  /** `opener` brings it back; `turn` is told the key of the phone that comes next, or null. */
  constructor(root, opener, turn) {
    this.root = root
    this.opener = opener
    opener.addEventListener('click', () => this.show())
    this.turn = turn
    this.steps = []
  }

  begin(steps) {
    this.steps = steps.map((step) => ({ ...step, done: false }))
    this.draw()
  }

  /** One message completes one step at most. */
  hear(message) {
    if (message.mine) return
    const step = this.steps.find((one) => !one.done && one.phone === message.phone && message.text.includes(one.until))
    if (!step) return
    step.done = true
    this.draw()
  }

  draw() {
    const next = this.steps.find((one) => !one.done)
    const away = localStorage.getItem(HIDDEN) !== null
    this.root.hidden = this.steps.length === 0 || away
    this.opener.hidden = this.steps.length === 0 || !away
    this.turn(this.root.hidden || !next ? null : next.phone)
    if (this.root.hidden) return
    const parts = [
      h('ol', { class: 'dots-done', 'aria-hidden': 'true' }, this.steps.map((one) => h('li', { class: one.done ? 'done' : one === next ? 'next' : '' }))),
      h('p', {}, ...(next ? this.words(next) : rich('That was the main job. Now let something go wrong: *Wrong PIN*, *Reject*, or a fault from the foot of this page. *Webhooks* shows what a shop\'s program is told.'))),
      next ? h('button', { type: 'button', class: 'plain small', onclick: () => { next.done = true; this.draw() } }, 'Skip') : null,
      h('button', { type: 'button', class: 'iconic', 'aria-label': 'Hide the guide', onclick: () => this.hide() }, icon('close')),
    ]
    this.root.replaceChildren(...parts.filter(Boolean))
  }

  words(step) {
    return [h('b', { class: 'count' }, `${this.steps.indexOf(step) + 1} of ${this.steps.length}`), ...rich(step.text)]
  }

  hide() {
    localStorage.setItem(HIDDEN, 'yes')
    this.draw()
  }

  show() {
    localStorage.removeItem(HIDDEN)
    this.draw()
  }
}
