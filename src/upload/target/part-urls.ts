/** URLs of parts, asked for when there are no more. */

export interface PartUrls {
  /** Of part 1, 2… */
  of(number: number): Promise<URL>
}

/** `ask`: for those from that part on. */
export function createPartUrls(first: readonly URL[], ask: (from: number) => Promise<readonly URL[]>): PartUrls {
  const urls = [...first]
  // One question after the other: several parts wait for the same answer.
  let asking: Promise<void> = Promise.resolve()
  return {
    async of(number) {
      while (urls[number - 1] === undefined) {
        asking = asking.then(async () => {
          if (urls[number - 1] === undefined) urls.push(...(await ask(urls.length + 1)))
        })
        await asking
      }
      return urls[number - 1]!
    },
  }
}
