# The house: one static library a room, arrows only downward.
#
#   kw_add_module(oracle PATH eval/oracle SOURCES a.cc b.cc USES base task device DEPS PkgConfig::zstd)
#
# makes kw_oracle from src/eval/oracle/*.cc with its public header in
# src/eval/oracle/include/kw/eval/oracle.h. A USES that does not point downward in
# KW_ROOM_RANKS is refused, and so is a source file on disk that is in no target.

# With the release preset several sources make one compilation (CMAKE_UNITY_BUILD, half the build
# time): names in anonymous namespaces are unique within a room and within a test suite.

# A room may use rooms of a lower rank only. llm, memory and the eval rooms never meet: a wing says who
# belongs together.
set(KW_ROOM_RANKS
    base=0
    llm=10 mock=15 memory=10
    task=10 extract=11 build=12 emulator=13 device=14 oracle=15 timing=16 worker=17 check=18
    agent=20 report=30 cli=40)
set(KW_LLM_WING llm mock)
set(KW_EVAL_WING task extract build emulator device oracle timing worker check)

function(kw_room_rank name out)
  foreach(pair IN LISTS KW_ROOM_RANKS)
    if(pair MATCHES "^${name}=([0-9]+)$")
      set(${out} ${CMAKE_MATCH_1} PARENT_SCOPE)
      return()
    endif()
  endforeach()
  message(FATAL_ERROR "kw_add_module: '${name}' is no room; the rooms are listed in cmake/Rooms.cmake")
endfunction()

function(kw_check_arrow from to)
  kw_room_rank(${from} from_rank)
  kw_room_rank(${to} to_rank)
  if(NOT to_rank LESS from_rank)
    message(FATAL_ERROR "kw_add_module(${from}): USES ${to} points upward or sideways")
  endif()
  if(from_rank LESS 20 AND to_rank GREATER_EQUAL 10)
    if(NOT ((from IN_LIST KW_EVAL_WING AND to IN_LIST KW_EVAL_WING) OR
            (from IN_LIST KW_LLM_WING AND to IN_LIST KW_LLM_WING)))
      message(FATAL_ERROR "kw_add_module(${from}): USES ${to}: llm, eval and memory do not know each other")
    endif()
  endif()
endfunction()

function(kw_claim_sources)
  foreach(source IN LISTS ARGN)
    get_filename_component(full ${source} ABSOLUTE)
    set_property(GLOBAL APPEND PROPERTY KW_CLAIMED_SOURCES ${full})
  endforeach()
endfunction()

# The rooms are optimised. Code that only calls them and shows or compares what comes back builds in
# half the time at -O1.
set(KW_COLD_OPTIONS $<$<CONFIG:Release>:-O1>)

function(kw_add_module name)
  cmake_parse_arguments(ARG "" "" "SOURCES;USES;DEPS" ${ARGN})
  if(NOT ARG_SOURCES)
    message(FATAL_ERROR "kw_add_module(${name}): no SOURCES")
  endif()
  add_library(kw_${name} STATIC ${ARG_SOURCES})
  kw_claim_sources(${ARG_SOURCES})
  file(GLOB_RECURSE headers CONFIGURE_DEPENDS include/*.h)
  target_sources(kw_${name} PUBLIC FILE_SET HEADERS BASE_DIRS include FILES ${headers})
  target_include_directories(kw_${name} PRIVATE ${CMAKE_CURRENT_SOURCE_DIR})
  foreach(room IN LISTS ARG_USES)
    kw_check_arrow(${name} ${room})
    target_link_libraries(kw_${name} PUBLIC kw_${room})
  endforeach()
  target_link_libraries(kw_${name} PRIVATE ${ARG_DEPS})
endfunction()

# A program of a room: kw_add_program(kwright-worker ROOM worker SOURCES main.cc)
function(kw_add_program program)
  cmake_parse_arguments(ARG "" "" "SOURCES;USES;DEPS" ${ARGN})
  add_executable(${program} ${ARG_SOURCES})
  kw_claim_sources(${ARG_SOURCES})
  target_include_directories(${program} PRIVATE ${CMAKE_CURRENT_SOURCE_DIR})
  foreach(room IN LISTS ARG_USES)
    target_link_libraries(${program} PRIVATE kw_${room})
  endforeach()
  target_link_libraries(${program} PRIVATE ${ARG_DEPS})
endfunction()

# A test suite that mirrors a room: kw_add_tests(task SOURCES axis_test.cc LABELS unit)
# Private headers of the rooms are reached as "src/<room>/<file>.h" from the root.
function(kw_add_tests name)
  cmake_parse_arguments(ARG "" "TIMEOUT" "SOURCES;USES;DEPS;LABELS;NEEDS" ${ARGN})
  if(NOT ARG_LABELS)
    set(ARG_LABELS unit)
  endif()
  if(NOT ARG_TIMEOUT)
    set(ARG_TIMEOUT 300)
  endif()
  set(test kw_${name}_test)
  add_executable(${test} ${ARG_SOURCES})
  kw_claim_sources(${ARG_SOURCES})
  target_include_directories(${test} PRIVATE ${PROJECT_SOURCE_DIR} ${PROJECT_SOURCE_DIR}/tests)
  target_compile_definitions(${test} PRIVATE KW_SOURCE_DIR="${PROJECT_SOURCE_DIR}"
                                             KW_BINARY_DIR="${CMAKE_BINARY_DIR}")
  foreach(room IN LISTS ARG_USES)
    target_link_libraries(${test} PRIVATE kw_${room})
  endforeach()
  target_link_libraries(${test} PRIVATE ${ARG_DEPS} GTest::gmock GTest::gtest GTest::gtest_main)
  target_compile_options(${test} PRIVATE ${KW_COLD_OPTIONS})
  if(ARG_NEEDS)
    add_dependencies(${test} ${ARG_NEEDS})
  endif()
  gtest_discover_tests(${test} DISCOVERY_TIMEOUT 60
                       PROPERTIES LABELS "${ARG_LABELS}" TIMEOUT ${ARG_TIMEOUT})
endfunction()

function(kw_check_every_source_has_a_room)
  file(GLOB_RECURSE on_disk CONFIGURE_DEPENDS ${PROJECT_SOURCE_DIR}/src/*.cc)
  get_property(claimed GLOBAL PROPERTY KW_CLAIMED_SOURCES)
  foreach(source IN LISTS on_disk)
    if(NOT source IN_LIST claimed)
      message(FATAL_ERROR "${source} is in no target: add it to its room's kw_add_module, or remove it")
    endif()
  endforeach()
endfunction()
