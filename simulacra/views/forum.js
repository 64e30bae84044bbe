// A list of threads, or one thread as a tree. Words of members reach the page by textContent only: whatever they hold, it stays text.
const DEEPEST = 7

function element(tag, className, words) {
  const made = document.createElement(tag)
  if (className) made.className = className
  if (words !== undefined) made.textContent = words
  return made
}

function button(className, words, label, act) {
  const made = element('button', className, words)
  made.type = 'button'
  if (label) {
    made.setAttribute('aria-label', label)
    made.title = label
  }
  made.onclick = act
  return made
}

function chips(post) {
  const found = []
  if (post.is_above) found.push(['', 'from an earlier part'])
  if (post.is_put_in) found.push(['put-in', 'put in'])
  if (post.newcomer) found.push(['new', 'newcomer'])
  if (post.toxic) found.push(['toxic', `toxic ${post.toxicity.toFixed(2)}`])
  if (post.removed) found.push(['removed', 'removed'])
  if (post.notes) found.push(['', post.notes === 1 ? '1 note' : `${post.notes} notes`])
  return found.map(([kind, words]) => element('span', `chip ${kind}`, words))
}

function listed(thread, open) {
  const item = button('item', '', `Open thread: ${thread.text.slice(0, 80)}`, () => open(thread.root))
  const votes = element('span', 'votes', String(thread.score))
  votes.append(element('span', 'quiet', 'votes'))
  item.append(votes, element('span', 'quiet', thread.head), element('span', 'title text', thread.text))
  const feet = element('span', 'quiet', thread.feet)
  for (const [kind, words] of thread.chips) feet.append(element('span', `chip ${kind}`, words))
  item.append(feet)
  return item
}

function posted(post, replies, marks, send) {
  const depth = Math.min(post.depth, DEEPEST)
  const classes = ['post', post.depth === 0 ? 'root' : '', post.id === marks.turn ? 'turn' : '',
    post.id === (marks.asked ?? marks.marked) ? 'asked' : '', post.is_new ? 'fresh' : '', post.is_above ? 'above' : '', depth === DEEPEST ? 'deep' : '']
  const made = element('div', classes.filter(Boolean).join(' '))
  made.dataset.post = post.id
  const line = element('div', 'line')
  if (replies.length) {
    const fold = button('fold quiet', '−', 'Fold this branch', () => {
      const folded = made.classList.toggle('folded')
      fold.textContent = folded ? '+' : '−'
      fold.setAttribute('aria-expanded', String(!folded))
    })
    fold.setAttribute('aria-expanded', 'true')
    line.append(fold)
  }
  if (post.author >= 0) line.append(button('who', post.handle, `About ${post.handle}`, () => send('member', post)))
  else line.append(element('span', 'who-only', post.handle))
  line.append(element('span', 'quiet', `${post.verb} · ${post.when}`), ...chips(post))
  made.append(line, element('div', `body text${post.removed ? ' gone' : ''}`, post.text))
  for (const fate of post.fate) made.append(element('div', 'fate quiet', fate))
  const feet = element('div', 'feet quiet')
  const reported = post.reports ? ` · ${post.reports} reported` : ''
  feet.append(element('span', '', `▲ ${post.up}  ▼ ${post.down} · read ${post.seen} times${reported}`))
  const mood = post.valence > 0.05 ? 'friendly' : post.valence < -0.05 ? 'unfriendly' : 'neutral'
  feet.append(element('span', '', `words: ${mood} (${post.valence.toFixed(2)}), toxicity ${post.toxicity.toFixed(2)}`))
  const acts = element('span', 'acts')
  for (const [what, words, spoken] of marks.acts ?? []) {
    acts.append(button('act', words, `${spoken} ${post.handle}`, () => send(what, post)))
  }
  if (acts.childElementCount) feet.append(acts)
  made.append(feet)
  const kids = element('div', 'kids')
  made.append(kids)
  return [made, kids]
}

function tree(data, send) {
  const all = element('div')
  const replies = new Map()
  for (const post of data.posts) {
    if (!replies.has(post.parent)) replies.set(post.parent, [])
    replies.get(post.parent).push(post)
  }
  // Parents come before their replies in order of ids, so one pass places everything, however deep.
  const places = new Map()
  for (const post of data.posts) {
    const [made, kids] = posted(post, replies.get(post.id) ?? [], data, send)
    places.set(post.id, kids)
    ;(places.get(post.parent) ?? all).append(made)
  }
  return all
}

export default function ({ data, parentElement, setTriggerValue }) {
  const root = parentElement.querySelector('.root')
  root.replaceChildren()
  if (data.threads) root.append(...data.threads.map((thread) => listed(thread, (id) => setTriggerValue('open', id))))
  else root.append(tree(data, (what, post) => setTriggerValue('ask', { what, post: post.id, author: post.author })))
  if (root.dataset.part !== undefined && root.dataset.part !== String(data.part)) { // not at the first drawing
    root.tabIndex = -1 // the keyboard goes on from the top of the part that was turned to
    root.focus({ preventScroll: true })
    root.scrollIntoView({ block: 'start' })
  }
  root.dataset.part = String(data.part)
  if (data.asked !== undefined && root.dataset.asked !== String(data.asked)) {
    root.dataset.asked = String(data.asked) // once, not at every redraw
    root.querySelector('.asked')?.scrollIntoView({ block: 'center' })
  }
}
