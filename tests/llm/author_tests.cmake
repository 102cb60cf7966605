# The simulated author's tests, for this folder's CMakeLists.txt.
set(KW_AUTHOR_TESTS
    author_advice_test.cc
    author_effects_test.cc
    author_kernel_test.cc
    author_learning_test.cc
    author_purity_test.cc)
# Compiles a sample of what it writes with nvcc.
kw_add_tests(llm_author SOURCES author_compile_test.cc USES llm LABELS e2e)
