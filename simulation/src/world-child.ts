/*
 * A process that runs worlds, one at a time, as its parent says; it ends when the parent does.
 */
import { runTask, type Task } from './run-world.ts'

process.on('message', (task: Task) => {
  void runTask(task).then(outcome => process.send?.(outcome))
})
process.on('disconnect', () => process.exit(0))
// Who runs the command ends it from the terminal; the parent then ends its children.
process.on('SIGINT', () => undefined)
