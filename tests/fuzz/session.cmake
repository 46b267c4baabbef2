# Mails from other ranks, and the windows made of them.
dxt_fuzz(fuzz_mail SOURCES fuzz/fuzz_mail.c
         MODULES base numeric probe matrix analysis history gather session
         LIBS PkgConfig::JANSSON ${CMAKE_DL_LIBS} CORPUS fuzz/corpus/fuzz_mail RUNS 6000000 MAX_LEN 4096)
# Mailboxes of a hostile peer, under a session.
dxt_fuzz(fuzz_mailbox SOURCES fuzz/fuzz_mailbox.c
         MODULES base numeric probe matrix analysis history gather session
         LIBS PkgConfig::JANSSON ${CMAKE_DL_LIBS} CORPUS fuzz/corpus/fuzz_mailbox RUNS 36000 MAX_LEN 4096)
