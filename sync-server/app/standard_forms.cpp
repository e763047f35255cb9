#include "app/standard_forms.h"

namespace fieldsync::embedded {
extern const std::string_view form_facility, form_visit, form_population, form_observation, form_register_check,
    form_interview, form_complaint, form_recommendation, form_follow_up;
}

namespace fieldsync::server {

std::vector<std::string_view> standard_forms() {
  using namespace fieldsync::embedded;
  return {form_facility,  form_visit,     form_population,     form_observation, form_register_check,
          form_interview, form_complaint, form_recommendation, form_follow_up};
}

}  // namespace fieldsync::server
