/**
 * The arguments of a command written as a template: static text splits at white space, each `${value}` stays within
 * one argument, whatever is in it, and a list is several arguments. There is no quoting and no shell.
 */
export function words(strings: readonly string[], values: readonly (string | number | readonly string[])[]): string[] {
  const split = new Splitter()
  for (const [index, text] of strings.entries()) {
    split.text(text)
    const value = values[index]
    if (value !== undefined) split.value(value)
  }
  return split.done()
}

class Splitter {
  readonly #words: string[] = []
  /** The argument that no white space has ended yet. */
  #open: string | undefined
  #afterList = false

  text(text: string): void {
    for (const piece of text.match(/\s+|\S+/g) ?? []) {
      if (/^\s/.test(piece)) this.#endWord()
      else this.#append(piece)
    }
  }

  value(value: string | number | readonly string[]): void {
    if (typeof value === 'string' || typeof value === 'number') return this.#append(String(value))
    if (this.#open !== undefined) throw joined(this.#open)
    this.#words.push(...value)
    this.#afterList = true
  }

  done(): string[] {
    this.#endWord()
    return this.#words
  }

  #append(piece: string): void {
    if (this.#afterList) throw joined(piece)
    this.#open = (this.#open ?? '') + piece
  }

  #endWord(): void {
    if (this.#open !== undefined) this.#words.push(this.#open)
    this.#open = undefined
    this.#afterList = false
  }
}

function joined(neighbour: string): TypeError {
  return new TypeError(`a list of arguments touches "${neighbour}": put white space on both sides of a list`)
}
