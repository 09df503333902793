// Overrides a getter that a class inherits, where the types of Node declare a plain property and so refuse an accessor in the class body.

/** `get` is called with the object and with what the inherited getter says. */
export function overrideGetter<T extends object, V>(
  prototype: T,
  name: string,
  get: (self: T, inherited: V) => V,
): void {
  let owner: object = prototype;
  while (!Object.hasOwn(owner, name)) owner = Object.getPrototypeOf(owner) as object;
  const inherited = Object.getOwnPropertyDescriptor(owner, name) as PropertyDescriptor;
  Object.defineProperty(prototype, name, {
    ...inherited,
    get(this: T): V {
      return get(this, inherited.get?.call(this) as V);
    },
  });
}
