"""Tests whose cases mostly run with the slow ones, so that `make test` stays within six minutes.

Of the cases of a test in `ONE_OF`, the first of every so many runs in `make test`; all run in
`make test-slow`, and on the other backends. `ALL` names tests of which no case runs in `make test`.
"""

ONE_OF = {
    "models/test_every_input_with_every_output.py::test_one_step": 4,
    "models/test_attention_ways.py::test_the_same_answers": 3,
    "models/test_adapting.py::test_the_first_fit_measures": 5,
    "models/test_costs.py::test_parameters_are_those_of_the_built_model": 3,
    "models/test_decode.py::test_chunks_equal_all_at_once": 3,
    "models/test_local_start.py::test_each_latent_reads_around_a_place_of_its_own": 3,
    "models/test_local_start.py::test_each_query_finds_the_latents_around_its_place": 3,
    "conformance/test_conformance.py::test_saved_model_with_another_batch_size": 6,
    "conformance/test_conformance.py::test_config_round_trip": 4,
    "conformance/test_conformance.py::test_compiled_equals_eager": 4,
    "conformance/test_conformance.py::test_mixed_precision": 3,
    "presets/test_presets.py::test_it_builds_and_is_what_it_says": 2,
    "training/test_fit.py::test_interrupted_and_resumed": 4,
    "training/test_loss_spike_guard.py::test_spikes_that_a_running_mean_hides": 3,
    "visualization/test_attention_maps.py::test_all_ways_have_the_maps_of_the_plain_way": 4,
    "checkpoints/test_preset_directories.py::test_each_builder_comes_back_bit_for_bit": 3,
    "checkpoints/test_deepmind.py::test_all_families_load_from_a_dict": 3,
    "tuning/test_hyper_model.py::test_random_draws_are_within_the_budget": 3,
    "conformance/test_conformance.py::test_keras_file": 2,
    "export/test_saved_model.py::test_which_sizes_are_open": 3,
    "models/test_chosen_sizes.py::test_a_bare_shape_becomes_a_description": 2,
    "checkpoints/test_from_preset.py::test_it_computes_what_transformers_computes": 2,
    "models/test_masked_grids.py::test_decode_in_chunks_equals_the_model": 3,
    "models/test_missing_modalities.py::test_short_forms_equal_the_full_one": 2,
    "outputs/test_bound_outputs.py::test_it_knows_its_sizes": 3,
    "layers/test_mask_shapes.py::test_a_mask_of_another_batch": 4,
    "test_nonsense_descriptions.py::test_layers": 2,
    "data/sources/test_made.py::test_shapes_splits_and_seeds": 2,
    "models/test_lamb.py::test_which_variables_are_decayed": 2,
    "export/test_request_limits.py::test_sizes": 2,
    "visualization/test_attention_maps.py::test_each_map_has_sum_one": 2,
    "models/test_costs.py::test_parameters_of_random_models": 3,
    "presets/test_presets.py::test_variants": 2,
    "models/test_wiring.py::test_what_shares_weights": 2,
}
ALL = (
    "export/test_saved_model.py::test_pictures_are_prepared_as_for_training",
    "export/test_saved_model.py::test_half_precision_stays_inside_and_sizes_where_that_is_wanted",
    "export/test_bad_arguments.py::test_a_saved_model_with_other_answers_is_not_put_in_place",
    "finetuning/test_finetuning.py::test_adapters_are_small_and_fit_the_model_they_were_trained_on",
    "models/test_chosen_sizes.py::test_arguments_always_win",
    "models/test_wiring.py::test_a_clone_keeps_ties",
    "models/test_attention_ways.py::test_another_size_of_image_than_the_last",
    "models/test_adapting.py::test_an_input_that_all_examples_lack_is_not_measured",
    "models/test_adapting.py::test_saved_with_the_model",
    "training/test_fit.py::test_a_full_disk_is_a_warning_and_leaves_the_last_good_one",
    "training/test_loss_spike_guard.py::test_metrics_of_an_earlier_epoch_do_not_come_back",
    "training/test_recipes.py::test_it_trains",
    "visualization/test_attention_maps.py::test_a_few_rows_at_a_time_are_the_same",
    "visualization/test_integrated_gradients.py::test_queries_of_a_picture_and_the_largest_value",
    "visualization/test_plot_attention.py::test_every_kind_of_input_is_drawn_with_its_map",
)


def is_later(name, counts):
    """Whether a case runs with the slow tests; `counts` is changed.

    Args:
        name: "models/test_lamb.py::test_which_variables_are_decayed[text]".
        counts: {test: how many of its cases there were before}
    """
    test = name.partition("[")[0]
    before = counts.get(test, 0)
    counts[test] = before + 1
    return test in ALL or before % ONE_OF.get(test, 1) > 0
