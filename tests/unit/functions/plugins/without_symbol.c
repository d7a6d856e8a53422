/* A shared library that is none of ours. */
int internode_test_nothing(void);
int internode_test_nothing(void) { return 0; }
