/** Tasks, several at a time. */

/**
 * Works through tasks, several at a time. One that fails takes no other with it.
 *
 * @template Task
 * @param {readonly Task[]} tasks @param {number} width @param {(task: Task) => Promise<void>} work
 * @param {(task: Task, cause: unknown) => void} failed
 */
export async function workedThrough(tasks, width, work, failed) {
  const left = [...tasks];
  const worker = async () => {
    for (let task = left.shift(); task !== undefined; task = left.shift()) {
      await work(task).catch((cause) => failed(task, cause));
    }
  };
  await Promise.all(Array.from({ length: width }, worker));
}
