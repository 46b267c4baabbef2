dxt_test(test_analysis SOURCES unit/test_analysis.c support/arrivals.c
         MODULES base numeric matrix analysis)
dxt_test(test_analysis_nodes SOURCES unit/test_analysis_nodes.c support/arrivals.c
         MODULES base numeric matrix analysis)
dxt_test(test_analysis_dealt SOURCES unit/test_analysis_dealt.c support/arrivals.c
         MODULES base numeric matrix analysis)
dxt_test(test_analysis_many SOURCES unit/test_analysis_many.c support/arrivals.c
         MODULES base numeric matrix analysis WRAP_ALLOC)
dxt_test(test_analysis_early SOURCES unit/test_analysis_early.c support/arrivals.c
         MODULES base numeric matrix analysis)
dxt_test(test_analysis_abreast SOURCES unit/test_analysis_abreast.c support/arrivals.c
         MODULES base numeric matrix analysis)
dxt_test(test_analysis_doubt SOURCES unit/test_analysis_doubt.c support/arrivals.c
         MODULES base numeric matrix analysis)
dxt_test(test_analysis_any SOURCES unit/test_analysis_any.c support/arrivals.c
         MODULES base numeric matrix analysis WRAP_ALLOC)
dxt_test(test_analysis_recorded SOURCES unit/test_analysis_recorded.c
         MODULES base numeric matrix analysis
         LIBS PkgConfig::JANSSON)
dxt_test(test_ratio_matrix SOURCES unit/test_ratio_matrix.c MODULES base numeric matrix analysis
         WRAP_ALLOC)
dxt_test(test_draft SOURCES unit/test_draft.c MODULES base numeric matrix analysis WRAP_ALLOC)
dxt_test(test_analysis_blind SOURCES unit/test_analysis_blind.c
         MODULES base numeric matrix analysis history report)
dxt_test(test_analysis_links SOURCES unit/test_analysis_links.c support/arrivals.c
         MODULES base numeric matrix analysis)
dxt_test(test_analysis_silence SOURCES unit/test_analysis_silence.c support/arrivals.c
         MODULES base numeric matrix analysis)
dxt_test(test_analysis_lost SOURCES unit/test_analysis_lost.c support/arrivals.c
         MODULES base numeric matrix analysis)
dxt_test(test_analysis_rotating SOURCES unit/test_analysis_rotating.c support/arrivals.c
         MODULES base numeric matrix analysis)
dxt_test(test_analysis_bundles SOURCES unit/test_analysis_bundles.c support/arrivals.c
         MODULES base numeric matrix analysis)
dxt_test(test_analysis_blocks SOURCES unit/test_analysis_blocks.c support/arrivals.c
         MODULES base numeric matrix analysis)
dxt_test(test_analysis_coupled SOURCES unit/test_analysis_coupled.c support/arrivals.c
         MODULES base numeric matrix analysis)
dxt_test(test_analysis_victims SOURCES unit/test_analysis_victims.c support/arrivals.c
         MODULES base numeric matrix analysis)
dxt_test(test_analysis_barriers SOURCES unit/test_analysis_barriers.c support/arrivals.c
         MODULES base numeric matrix analysis)
dxt_test(test_analysis_standing SOURCES unit/test_analysis_standing.c support/arrivals.c
         MODULES base numeric matrix analysis)
dxt_test(test_analysis_nics SOURCES unit/test_analysis_nics.c support/arrivals.c
         MODULES base numeric matrix analysis)
dxt_test(test_analysis_delay SOURCES unit/test_analysis_delay.c support/arrivals.c
         MODULES base numeric matrix analysis history)
