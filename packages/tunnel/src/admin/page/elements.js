// The few lines between the page and the DOM. What has not changed is not touched, so that focus and selection stay where they are.

/**
 * @template {keyof HTMLElementTagNameMap} Tag
 * @param {Tag} tag
 * @param {Record<string, string | boolean>} [attributes] true: there, without a value; false: not there
 * @param {...(Node | string)} children
 * @returns {HTMLElementTagNameMap[Tag]}
 */
export function element(tag, attributes = {}, ...children) {
  const made = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) {
    if (value !== false) made.setAttribute(name, value === true ? '' : value);
  }
  made.append(...children);
  return made;
}

/** @param {string} id */
export function byId(id) {
  const found = document.getElementById(id);
  if (found === null) throw new Error(`the page has no element '${id}'`);
  return found;
}

/**
 * @param {Element} target
 * @param {string} text
 */
export function setText(target, text) {
  if (target.textContent !== text) target.textContent = text;
}

/**
 * @param {Element} target
 * @param {string} name
 * @param {string} value
 */
export function setData(target, name, value) {
  if (target.getAttribute(`data-${name}`) !== value) target.setAttribute(`data-${name}`, value);
}

/**
 * A list whose elements stay the same for the same keys: `update` is called for each item, after `create` for a new one.
 * @template Item
 * @template {{ readonly element: Element }} View
 */
export class KeyedList {
  /** @type {Map<string, View>} */
  #views = new Map();

  /**
   * @param {Element} parent
   * @param {(item: Item) => View} create
   * @param {(view: View, item: Item) => void} update
   */
  constructor(parent, create, update) {
    this.parent = parent;
    this.create = create;
    this.update = update;
  }

  /** @param {ReadonlyMap<string, Item>} items in order, by key */
  show(items) {
    for (const [key, view] of this.#views) {
      if (items.has(key)) continue;
      view.element.remove();
      this.#views.delete(key);
    }
    /** @type {Element | null} */
    let next = this.parent.firstElementChild;
    for (const [key, item] of items) {
      const view = this.#views.get(key) ?? this.create(item);
      this.#views.set(key, view);
      if (view.element === next) next = next.nextElementSibling;
      else this.parent.insertBefore(view.element, next);
      this.update(view, item);
    }
  }
}
