/* What a page or a program imports that observes several documents as one. */
export * from '@fanfold/client/many'
