# Unity builds: the compiler takes several files of a target at once, and reads the headers they share once. A build from nothing
# is much quicker; a change in one file compiles its neighbours as well. The dev preset goes without, and shows what a file forgot
# to include. The files of a target share their anonymous namespaces then: a name in one must be unique in the room.
option(DROVER_UNITY "Compile several files at once: quicker from nothing" OFF)
set(DROVER_UNITY_BATCH 8 CACHE STRING "How many files at once; 0: all of a room, which shows names that are not unique")

function(drover_unity target)
  if(DROVER_UNITY)
    set_target_properties(${target} PROPERTIES UNITY_BUILD ON UNITY_BUILD_BATCH_SIZE ${DROVER_UNITY_BATCH})
  endif()
endfunction()
