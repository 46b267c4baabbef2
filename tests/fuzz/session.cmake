# Mails from other ranks, and the windows made of them.
dxt_fuzz(fuzz_mail SOURCES fuzz/fuzz_mail.c
         MODULES base numeric probe matrix analysis history gather session
         LIBS PkgConfig::JANSSON ${CMAKE_DL_LIBS} CORPUS fuzz/corpus/fuzz_mail MAX_LEN 4096)
