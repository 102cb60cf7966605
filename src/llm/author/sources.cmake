# The simulated author, for the room's CMakeLists.txt.
set(KW_AUTHOR_SOURCES
    author/answer_kernel.cc
    author/answer_learning.cc
    author/code.cc
    author/design.cc
    author/findings.cc
    author/inspect.cc
    author/lexicon.cc
    author/lexicon_load.cc
    author/operation.cc
    author/policy.cc
    author/prompt.cc
    author/simulated_author.cc
    author/words.cc
    author/write_elementwise.cc
    author/write_matmul.cc
    author/write_rows.cc)
