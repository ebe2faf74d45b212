/* What a program imports that runs nodes itself. */
export * from '@fanfold/node'
